import { Failure } from "../failure.js";
import { Child, type ChildSpec, commandLineOf } from "./child.js";
import type { DataFolder } from "./data-folder.js";
import { boundLog } from "./log-file.js";
import { end, isAlive } from "./process.js";
import { CHILDREN, type ChildName, removeState, type SupervisorState, writeState } from "./state-file.js";

export interface SupervisorOptions {
  folder: DataFolder;
  /** What a former supervisor of this folder left behind. */
  former: SupervisorState | undefined;
  state: Omit<SupervisorState, "children" | "ready">;
  /** Tells the person at the terminal. */
  say(line: string): void;
}

export type NamedSpec = ChildSpec & { name: ChildName };

/** What ends `davit up`: the user's signal, or a child that says starting again would not help. */
export type Ended = { by: "signal" } | { by: "fatal"; child: ChildName; said: string };

const LOG_CHECK_MS = 10_000;
const MAX_FIRST_STARTS = 6;
/** Longer than any child takes by itself. */
const END_GRACE_MS = 10_000;

/** Keeps its children running, each alone. The lock on the folder must be held. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Map<ChildName, Child>();
  readonly #specs: NamedSpec[] = [];
  readonly #state: SupervisorState;
  readonly #logCheck: NodeJS.Timeout;
  readonly ended: Promise<Ended>;
  #end: (how: Ended) => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    // What the former one started stays known until it is adopted or ended: this process may be killed at any instant.
    this.#state = { ...options.state, children: { ...options.former?.children }, ready: false };
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#logCheck = setInterval(() => this.#boundLogs(), LOG_CHECK_MS).unref();
    writeState(options.folder.state, this.#state);
  }

  /** Adopts the child if it runs as it would be started now; else ends what runs in its place, and starts it. */
  async start(spec: NamedSpec): Promise<void> {
    const old = this.#options.former?.children[spec.name];
    const adopted = old && isAlive(old) && old.commandLine === commandLineOf(spec) ? old : undefined;
    if (old && !adopted) await end(old, spec.graceMs);
    const child = this.#makeChild(spec);
    this.#specs.push(spec);
    this.#children.set(spec.name, child);
    child.start(adopted);
  }

  /** Ends what the former one ran and this one does not. */
  async endOthers(): Promise<void> {
    await endChildren(this.#options.former, (name) => !this.#children.has(name));
    for (const name of CHILDREN) if (!this.#children.has(name)) delete this.#state.children[name];
    writeState(this.#options.folder.state, this.#state);
  }

  #makeChild(spec: NamedSpec): Child {
    const { say, folder } = this.#options;
    let starts = 0;
    return new Child(spec, {
      started: ({ pid, startTicks }) => {
        this.#state.children[spec.name] = { pid, startTicks, commandLine: commandLineOf(spec) };
        writeState(folder.state, this.#state);
        starts += 1;
        if (starts > 1) say(`${spec.name} runs again (process ${pid}).`);
      },
      ended: (how, delayMs, said) => {
        say(`${spec.name} ended (${how}); it starts again in ${delayMs} ms. Its log: ${spec.logFile}`);
        // Before anything ever worked, trying on for ever helps nobody.
        if (!this.#state.ready && starts >= MAX_FIRST_STARTS)
          this.#end({ by: "fatal", child: spec.name, said: `${spec.name} ended ${starts} times; it said: ${said}` });
      },
      fatal: (said) => this.#end({ by: "fatal", child: spec.name, said }),
    });
  }

  ready(): void {
    this.#state.ready = true;
    writeState(this.#options.folder.state, this.#state);
  }

  /** Ends a child, which then starts again as it was. */
  async restart(name: ChildName): Promise<void> {
    const running = this.#children.get(name)?.process;
    if (running) await end(running, END_GRACE_MS);
  }

  /** The user's signal. */
  interrupt(): void {
    this.#end({ by: "signal" });
  }

  /** Also ends what the former one left and this one had not come to yet. */
  async stop(): Promise<void> {
    clearInterval(this.#logCheck);
    await endChildren(this.#options.former, (name) => !this.#children.has(name));
    for (const name of [...this.#children.keys()].toReversed()) await this.#children.get(name)?.stop();
    removeState(this.#options.folder.state);
  }

  #boundLogs(): void {
    for (const { logFile } of this.#specs) boundLog(logFile);
  }
}

/** Ends processes that a state file names, agent first. */
export async function endChildren(
  state: SupervisorState | undefined,
  which: (name: ChildName) => boolean = () => true,
): Promise<void> {
  for (const name of CHILDREN.toReversed()) {
    const child = state?.children[name];
    if (child && which(name)) await end(child, END_GRACE_MS);
  }
}

/** Waits for the API to say that it is ready. @throws Failure when something ended for good, or nothing came in time */
export async function waitReady<T>(
  isReady: () => Promise<T | undefined>,
  ended: Promise<Ended>,
  timeoutMs: number,
  serverLog: string,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  let over: Ended | undefined;
  void ended.then((how) => {
    over = how;
  });
  for (;;) {
    const ready = await isReady();
    if (ready) return ready;
    if (over?.by === "signal") return undefined;
    if (over) throw new Failure(over.said === "" ? `${over.child} ended; its log is ${serverLog}.` : over.said);
    if (performance.now() > deadline)
      throw new Failure(
        `the API did not come up within ${timeoutMs / 1000} s; what the server said is in ${serverLog}.`,
      );
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
