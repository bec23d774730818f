import type { Access } from "../api/kubeconfig.js";
import { Failure } from "../failure.js";
import { Child, type ChildSpec, commandLineOf } from "./child.js";
import type { DataFolder } from "./data-folder.js";
import { boundLog } from "./log-file.js";
import { end, isAlive } from "./process.js";
import { CHILDREN, type ChildName, removeState, type SupervisorState, writeState } from "./state-file.js";

export interface SupervisorOptions {
  folder: DataFolder;
  /** In the order in which they are started; stopped the other way round. */
  children: readonly (ChildSpec & { name: ChildName })[];
  /** What a former supervisor of this folder left behind. */
  former: SupervisorState | undefined;
  state: SupervisorState;
  /** Tells the person at the terminal. */
  say(line: string): void;
}

/** What ends `davit up`: the user's signal, or a child that says starting again would not help. */
export type Ended = { by: "signal" } | { by: "fatal"; child: ChildName; said: string };

const LOG_CHECK_MS = 10_000;

/** Three children, each kept running alone. The lock on the folder must be held. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Map<ChildName, Child>();
  readonly #state: SupervisorState;
  readonly #logCheck: NodeJS.Timeout;
  readonly ended: Promise<Ended>;
  #end: (how: Ended) => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#state = options.state;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#logCheck = setInterval(() => this.#boundLogs(), LOG_CHECK_MS).unref();
  }

  /** Adopts what runs as it would be started now, ends what runs otherwise, and starts the rest. */
  async start(): Promise<void> {
    const { children, former } = this.#options;
    const adoptable = new Map<ChildName, ChildSpec>();
    for (const spec of children)
      if (former?.children[spec.name]?.commandLine === commandLineOf(spec)) adoptable.set(spec.name, spec);
    await endChildren(former, (name) => !adoptable.has(name), children);
    writeState(this.#options.folder.state, this.#state);
    for (const spec of children) {
      const child = this.#makeChild(spec);
      this.#children.set(spec.name, child);
      const old = adoptable.has(spec.name) ? former?.children[spec.name] : undefined;
      child.start(old && isAlive(old) ? old : undefined);
    }
  }

  #makeChild(spec: ChildSpec & { name: ChildName }): Child {
    const { say, folder } = this.#options;
    let starts = 0;
    return new Child(spec, {
      started: ({ pid, startTicks }) => {
        this.#state.children[spec.name] = { pid, startTicks, commandLine: commandLineOf(spec) };
        writeState(folder.state, this.#state);
        starts += 1;
        if (starts > 1) say(`${spec.name} runs again (process ${pid}).`);
      },
      ended: (how, delayMs) =>
        say(`${spec.name} ended (${how}); it starts again in ${delayMs} ms. Its log: ${spec.logFile}`),
      fatal: (said) => this.#end({ by: "fatal", child: spec.name, said }),
    });
  }

  ready(): void {
    this.#state.ready = true;
    writeState(this.#options.folder.state, this.#state);
  }

  /** The user's signal. */
  interrupt(): void {
    this.#end({ by: "signal" });
  }

  async stop(): Promise<void> {
    clearInterval(this.#logCheck);
    for (const name of [...this.#children.keys()].toReversed()) await this.#children.get(name)?.stop();
    removeState(this.#options.folder.state);
  }

  #boundLogs(): void {
    for (const { logFile } of this.#options.children) boundLog(logFile);
  }
}

/** Ends processes that a state file names, agent first. */
export async function endChildren(
  state: SupervisorState | undefined,
  which: (name: ChildName) => boolean = () => true,
  specs: readonly ChildSpec[] = [],
): Promise<void> {
  for (const name of CHILDREN.toReversed()) {
    const child = state?.children[name];
    if (child && which(name)) await end(child, specs.find((spec) => spec.name === name)?.graceMs ?? 10_000);
  }
}

/** Waits for the API to say that it is ready. @throws Failure when something ended for good, or nothing came in time */
export async function waitReady(
  isReady: () => Promise<Access | undefined>,
  ended: Promise<Ended>,
  timeoutMs: number,
  serverLog: string,
): Promise<Access | undefined> {
  const deadline = performance.now() + timeoutMs;
  let over: Ended | undefined;
  void ended.then((how) => {
    over = how;
  });
  for (;;) {
    const access = await isReady();
    if (access) return access;
    if (over?.by === "signal") return undefined;
    if (over) throw new Failure(over.said === "" ? `${over.child} ended; its log is ${serverLog}.` : over.said);
    if (performance.now() > deadline)
      throw new Failure(
        `the API did not come up within ${timeoutMs / 1000} s; what the server said is in ${serverLog}.`,
      );
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
