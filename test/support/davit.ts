// A whole Davit of a test's own: `davit up` on a fresh folder and free ports, as a user starts it.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ApiObject } from "../../api/meta.js";
import type { Kind, Kinds } from "../../api/types.gen.js";
import { KINDS } from "../../api/types.gen.js";
import { connectBus } from "../../bus/connect.js";
import { type Follower, type FollowOptions, followEvents, readerInbox } from "../../bus/follow.js";
import { credentials } from "../../cli/supervisor/children.js";
import { dataFolder } from "../../cli/supervisor/data-folder.js";
import { temporaryFolder } from "./folder.js";
import { isAlive } from "./process.js";
import { eventually } from "./wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;

export type Role = "supervisor" | "nats" | "server" | "agent";
interface State {
  supervisor: { pid: number };
  children: Partial<Record<Exclude<Role, "supervisor">, { pid: number }>>;
  ready: boolean;
  apiPort: number;
  natsUrl: string;
}
export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export async function execute(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Output> {
  try {
    const options = { env: { ...process.env, ...env }, maxBuffer: 64 << 20, encoding: "utf8" as const };
    return { code: 0, ...(await promisify(execFile)(command, args, options)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw error;
    return { code, stdout: stdout ?? "", stderr: stderr ?? "" };
  }
}

export class Davit {
  #supervisor: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    private readonly args: readonly string[],
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** @param name ends up in the folder's name */
  static async start(name: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Davit> {
    const davit = new Davit(temporaryFolder(name).path, args, env);
    try {
      await davit.up();
      return davit;
    } catch (error) {
      await davit.purge();
      throw error;
    }
  }

  /** Starts the supervisor (again) and waits until the API has answered. Ports stay what they were.
   *  @param before for a folder that has lost what it was */
  async up(before = this.state()): Promise<void> {
    const port = String(before?.apiPort ?? 0);
    const natsPort = before ? new URL(before.natsUrl).port : "0";
    const supervisor = spawn(
      process.execPath,
      [DAVIT, "up", "--data-dir", this.folder, "--api-port", port, "--nats-port", natsPort, ...this.args],
      { env: { ...process.env, ...this.env }, stdio: ["ignore", "pipe", "pipe"] },
    );
    let said = "";
    for (const stream of [supervisor.stdout, supervisor.stderr])
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
    this.#supervisor = supervisor;
    await eventually("davit up is ready", () => {
      if (supervisor.exitCode !== null) return { failed: said };
      const state = this.state();
      return state?.ready && state.supervisor.pid === supervisor.pid && { failed: "" };
    }).then(({ failed }) => {
      if (failed) throw new Error(`davit up ended: ${failed}`);
    });
  }

  state(): State | undefined {
    try {
      return JSON.parse(readFileSync(join(this.folder, "state.json"), "utf8")) as State;
    } catch {
      return undefined;
    }
  }

  pid(role: Role): number {
    const state = this.state();
    const pid = role === "supervisor" ? state?.supervisor.pid : state?.children[role]?.pid;
    if (pid === undefined) throw new Error(`no ${role} runs`);
    return pid;
  }

  /** kill -9, and waits until the process is gone. */
  async kill(...roles: Role[]): Promise<void> {
    const pids = roles.map((role) => this.pid(role));
    for (const pid of pids) process.kill(pid, "SIGKILL");
    for (const pid of pids) await eventually(`process ${pid} is gone`, () => !isAlive(pid));
  }

  /** The `davit` command against this Davit. */
  cli(...args: string[]): Promise<Output> {
    return execute(process.execPath, [DAVIT, ...args], { ...this.env, DAVIT_DATA_DIR: this.folder });
  }

  kubectl(...args: string[]): Promise<Output> {
    return execute("kubectl", args, { KUBECONFIG: join(this.folder, "kubeconfig"), HOME: this.folder });
  }

  async list<K extends Kind>(kind: K, ...args: string[]): Promise<Kinds[K][]> {
    const { code, stdout, stderr } = await this.kubectl(
      "get",
      `${KINDS[kind].plural}.davit.dev`,
      "-o",
      "json",
      ...args,
    );
    if (code !== 0) throw new Error(stderr);
    return (JSON.parse(stdout) as { items: ApiObject[] }).items as Kinds[K][];
  }

  /** A subscriber with the read-only credentials that `davit bus info` names. The bus's port must stay what it is. */
  follow(options: Partial<FollowOptions>): Follower & { end(): Promise<void> } {
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const file = credentials(dataFolder(this.folder)).reader;
    const servers = this.state()?.natsUrl ?? "";
    const connection = connectBus({ servers, credentials: { file }, name: "test", inboxPrefix: readerInbox, log });
    const follower = followEvents({ connection, log, ...options });
    const end = (): Promise<void> => {
      follower.close();
      return connection.close();
    };
    return { ...follower, end };
  }

  /** Stops the supervisor and its children; containers keep running. */
  async down(): Promise<void> {
    const supervisor = this.#supervisor;
    if (supervisor && supervisor.exitCode === null && supervisor.signalCode === null) {
      supervisor.kill("SIGTERM");
      await once(supervisor, "exit");
    }
  }

  /** Stops everything and removes containers and data. */
  async purge(): Promise<void> {
    await this.down();
    const { code, stdout, stderr } = await this.cli("down", "--purge", "--data-dir", this.folder);
    rmSync(this.folder, { recursive: true, force: true });
    if (code !== 0) throw new Error(`davit down --purge: ${stdout}${stderr}`);
  }
}
