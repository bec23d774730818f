// A unit's file read as systemd reads it, and its commands run in systemd's place.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";

export interface Command {
  /** Its failure is ignored. */
  mayFail: boolean;
  argv: string[];
}

export interface Unit {
  text: string;
  /** All values of a key, in order. */
  values(key: string): string[];
  before: Command[];
  start: Command;
  stop: Command | undefined;
}

export function readUnit(file: string): Unit {
  const text = readFileSync(file, "utf8");
  const values = (key: string): string[] =>
    text.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
  const commands = (key: string): Command[] =>
    values(key).map((line) => ({ mayFail: line.startsWith("-"), argv: splitCommand(line.replace(/^-/, "")) }));
  const [start] = commands("ExecStart");
  if (!start) throw new Error(`no ExecStart in ${file}`);
  return { text, values, before: commands("ExecStartPre"), start, stop: commands("ExecStop")[0] };
}

/** systemd.syntax(7), systemd.service(5): double quotes, backslashes in and outside of them, `%%` and `$$`. */
export function splitCommand(line: string): string[] {
  const found: string[] = [];
  let current: string | undefined;
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (char === "\\") {
      at += 1;
      current = (current ?? "") + (line.charAt(at) === "n" ? "\n" : line.charAt(at));
    } else if (char === '"') {
      quoted = !quoted;
      current ??= "";
    } else if (char === " " && !quoted) {
      if (current !== undefined) found.push(current);
      current = undefined;
    } else if ((char === "%" || char === "$") && line.charAt(at + 1) === char) {
      at += 1;
      current = (current ?? "") + char;
    } else if (char === "%" || char === "$") throw new Error(`systemd would replace ${char} in: ${line}`);
    else current = (current ?? "") + char;
  }
  if (current !== undefined) found.push(current);
  return found;
}

/** Keeps a service running as systemd would by `Restart=always`: what is to run before, then the command, and again
 *  after `RestartSec` whenever it ends. */
export class Nanny {
  readonly starts: ChildProcess[] = [];
  said = "";
  #stopping = false;
  #running: Promise<void>;

  constructor(
    private readonly unit: Unit,
    private readonly env: NodeJS.ProcessEnv = {},
  ) {
    this.#running = this.#run();
  }

  /** The present main process. */
  get pid(): number {
    const pid = this.starts.at(-1)?.pid;
    if (pid === undefined) throw new Error("nothing runs");
    return pid;
  }

  /** Resolves when it is not started again: stopped, or what the unit needs is not there any more. */
  over(): Promise<void> {
    return this.#running;
  }

  /** As `systemctl stop`: ExecStop if there is one, else SIGTERM to the main process. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const main = this.starts.at(-1);
    if (main && main.exitCode === null && main.signalCode === null) {
      const exited = once(main, "exit");
      if (this.unit.stop) await this.#once(this.unit.stop);
      else main.kill("SIGTERM");
      await exited;
    }
    await this.#running;
  }

  async #run(): Promise<void> {
    const needed = this.unit.values("ConditionPathExists");
    const pauseMs = Number(this.unit.values("RestartSec")[0]) * 1_000;
    while (!this.#stopping && needed.every((path) => existsSync(path))) {
      for (const command of this.unit.before) {
        const code = await this.#once(command);
        if (code !== 0 && !command.mayFail) throw new Error(`${command.argv.join(" ")}: ${code}: ${this.said}`);
      }
      if (this.#stopping) return;
      const main = this.#spawn(this.unit.start);
      this.starts.push(main);
      await once(main, "exit");
      if (this.unit.values("Restart")[0] !== "always") return;
      for (let waited = 0; waited < pauseMs && !this.#stopping; waited += 20)
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #once(command: Command): Promise<number | null> {
    const child = this.#spawn(command);
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  }

  #spawn({ argv: [program = "", ...args] }: Command): ChildProcess {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...this.env } });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data) => {
        this.said += String(data);
      });
    return child;
  }
}
