// The agent's process: what it listens to, and how it ends.
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../api/log.js";
import { crashOnBugs } from "../child-process.js";
import { EXIT } from "../failure.js";
import { self } from "../supervisor/state-file.js";
import { type Progress, serveControl } from "./control.js";
import { type Identity, type MachineFolder, readIdentity, removeIdentity } from "./folder.js";
import { goodbyeKind } from "./goodbye.js";
import { leaving } from "./leaving.js";
import { createMember, type Member } from "./member.js";
import { removeRunning, writeRunning } from "./running.js";

/** After the goodbye: then the process ends as it is. */
const CLOSE_WITHIN_MS = 8_000;
/** How long an ephemeral machine that is told to end waits for its tasks to be down; systemd waits longer. */
const LEAVE_WITHIN_MS = 75_000;

export interface RunOptions {
  log: Log;
  /** Called with the first answered sync. */
  onReady?: () => void;
}

/** How long one that has just begun is waited for. */
const SESSION_WITHIN_MS = 3_000;

/** How it ended: told to by a signal, or the machine has left and is nobody's any more. */
export type End = "told" | "left";

/** Runs until told to end, or until the machine has left. The folder's lock must be held. */
export async function runAgent(folder: MachineFolder, identity: Identity, options: RunOptions): Promise<End> {
  const { log } = options;
  crashOnBugs(log);
  rmSync(folder.stopping, { force: true });
  writeRunning(folder, { process: self(), ready: false });
  const told = signals(log);
  const over = new AbortController();
  const opening = open(folder, identity, told.signal, options);

  /** Once the goodbye is said, the process ends, however it goes. */
  async function* leave(unasked: AbortSignal): AsyncIterable<Progress> {
    const { ready, agent } = await opening;
    await ready;
    if (unasked.aborted || over.signal.aborted) return;
    try {
      yield* left(folder, leaving(agent), log);
    } finally {
      over.abort();
    }
  }

  const stopControl = await serveControl(folder.control, leave);
  await Promise.race([aborted(told.signal), aborted(over.signal)]);
  const member = await opening.catch(() => undefined);
  if (!over.signal.aborted && member) await goodbye(folder, identity, member, log);
  const late = setTimeout(() => process.exit(EXIT.failed), CLOSE_WITHIN_MS);
  await stopControl();
  await member?.close();
  removeRunning(folder);
  clearTimeout(late);
  log.info({}, "stopped");
  return readIdentity(folder) ? "told" : "left";
}

/** For a machine whose agent does not run: one that says goodbye for good and is gone. The folder's lock must be held. */
export async function* leaveNow(folder: MachineFolder, identity: Identity, log: Log): AsyncIterable<Progress> {
  const member = await open(folder, identity, new AbortController().signal, { log });
  try {
    await member.ready;
    yield* left(folder, leaving(member.agent), log);
  } finally {
    await member.close();
    removeRunning(folder);
  }
}

/** Its agent gets its session as soon as it can: then it is ready. */
type Opened = Member & { ready: Promise<void> };

async function open(
  folder: MachineFolder,
  identity: Identity,
  told: AbortSignal,
  { log, onReady }: RunOptions,
): Promise<Opened> {
  const member = await createMember(folder, identity, log, told);
  const ready = member.agent.start().then(async () => {
    if (member.agent.status().epoch === 0) return;
    await member.introspect();
    writeRunning(folder, { process: self(), ready: true });
    onReady?.();
  });
  return { ...member, ready };
}

/** Told to end: for a restart, or with the machine, or for good. */
async function goodbye(
  folder: MachineFolder,
  { options }: Identity,
  { agent, ready }: Opened,
  log: Log,
): Promise<void> {
  // Without a session nobody would hear that it leaves; one may just be on its way.
  if (options.ephemeral) await Promise.race([ready, sleep(SESSION_WITHIN_MS, undefined, { ref: false })]);
  if (options.ephemeral && agent.status().epoch > 0) {
    const late = setTimeout(() => {
      log.error({}, "the tasks are not down in time: the machine has not left");
      process.exit(EXIT.failed);
    }, LEAVE_WITHIN_MS);
    for await (const _ of left(folder, leaving(agent), log));
    clearTimeout(late);
  } else {
    await agent.stop({ kind: await goodbyeKind(folder.stopping) });
  }
}

/** Takes the identity away before it says that the machine has left. */
async function* left(folder: MachineFolder, steps: AsyncIterable<Progress>, log: Log): AsyncIterable<Progress> {
  for await (const step of steps) {
    log.info(step, "leaving");
    if ("left" in step) removeIdentity(folder);
    yield step;
  }
}

function signals(log: Log): AbortController {
  const told = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    process.on(name, () => {
      log.info({ signal: name }, "told to end");
      told.abort();
    });
  return told;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
