import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { seconds } from "./arguments.js";
import { checkDocker } from "./supervisor/checks.js";

/** Between two questions. */
const ASK_MS = 500;

export function define(command: Command): void {
  command
    .description("Waits until the Docker Engine answers. For service units.")
    .option("--timeout <SECONDS>", "how long", seconds, 120)
    .action(waitForDocker);
}

/** @throws Failure saying what is wrong if it has not answered in time */
async function waitForDocker({ timeout }: { timeout: number }): Promise<void> {
  for (const deadline = performance.now() + timeout * 1_000; ; await sleep(ASK_MS)) {
    try {
      return await checkDocker();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
