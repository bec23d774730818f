import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure.js";
import type { JoinOptions } from "../join.js";
import { print, progress } from "../output/terminal.js";
import { lastWords } from "../supervisor/child.js";
import { boundLog, sizeOf, tail } from "../supervisor/log-file.js";
import { machineFolder } from "./folder.js";
import { joinOnly } from "./join.js";
import { readRunning } from "./running.js";

const CONNECT_WITHIN_MS = 60_000;

/** `davit join --detach`: joins in this process, so that no token is in the other's command line, and returns once the
 *  agent in the background is connected. */
export async function joinDetached(url: string | undefined, options: JoinOptions): Promise<void> {
  const { instance, server } = await joinOnly(url, options);
  const folder = machineFolder(options.dataDir);
  const logFile = join(folder.logs, "agent.log");
  boundLog(logFile);
  const from = sizeOf(logFile);
  const log = openSync(logFile, "a", 0o600);
  const [, davit = ""] = process.argv;
  const child = spawn(process.execPath, [...process.execArgv, davit, "join", "--data-dir", folder.root], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const exited = once(child, "exit").then(() => true);
  const waiting = progress();
  waiting.show(`Connecting to ${server} …`);
  for (const deadline = performance.now() + CONNECT_WITHIN_MS; !(await Promise.race([exited, sleep(25)])); ) {
    const running = readRunning(folder);
    const ready = running?.ready === true && running.process.pid === child.pid;
    if (!ready && performance.now() < deadline) continue;
    waiting.done();
    child.unref();
    return print(
      `${ready ? `The agent of instance ${instance} is connected` : `The agent of instance ${instance} is not connected yet, and tries on`} ` +
        `(process ${child.pid}). Its log: ${logFile}`,
    );
  }
  waiting.done();
  throw new Failure(lastWords(tail(logFile, from)), child.exitCode ?? 1);
}
