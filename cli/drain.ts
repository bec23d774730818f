import type { Command } from "commander";
import { getCondition } from "../api/conditions.js";
import type { ContainerInstance } from "../api/types.gen.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { machineLabel, patchMachine, resolveMachines } from "./api/machines.js";
import { waitForObjects } from "./api/objects.js";
import { findResource } from "./api/resources.js";
import { momentMs, timeoutMs } from "./arguments.js";
import { Failure, UsageError } from "./failure.js";
import { print } from "./output/terminal.js";

interface Options extends ApiOptions {
  wait?: boolean;
  at?: (nowMs: number) => number;
  timeout?: number;
}

export function define(command: Command): void {
  command
    .description(
      "Moves the services' tasks off a machine, as fast as each service's percents allow, and places no new ones there. Standalone tasks are left alone. `davit uncordon` takes it back.",
    )
    .argument("<node...>", "host name, id, ARN, or a unique beginning of one")
    .option("--wait", "until no task is left, saying what waits for what")
    .option("--at <TIME>", "drain from then on: 2026-03-01T22:00:00Z, or +30m", momentMs)
    .option("--timeout <D>", "wait so long at most (90s, 10m, 2h); the drain itself goes on", timeoutMs)
    .addHelpText(
      "after",
      "\nWhere a service's percents leave no move, such as 100 and 100, the drain says Blocked, with both numbers, and goes on as soon as they change.\n\nExamples:\n  $ davit drain db-3 --wait --timeout 10m\n  $ davit drain db-3 db-4 --at 2026-03-01T22:00:00Z\n  $ davit uncordon db-3",
    )
    .action((nodes: string[], options: Options) => withApi(options, (api) => drain(api, nodes, options)));
  withApiOptions(command);
}

async function drain(api: Api, nodes: readonly string[], options: Options): Promise<void> {
  const atMs = options.at?.(Date.now());
  if (atMs !== undefined && atMs < Date.now())
    throw new UsageError(`--at ${new Date(atMs).toISOString()} is in the past; leave --at out to drain now.`);
  const machines = await resolveMachines(api, options.namespace, nodes);
  const drainAt = atMs === undefined ? undefined : new Date(atMs).toISOString();
  const wished: ContainerInstance[] = [];
  for (const machine of machines) {
    const spec = drainAt === undefined ? { status: "DRAINING", drainAt: null } : { drainAt };
    const already = machine.spec.status === "DRAINING";
    wished.push(already ? machine : await patchMachine(api, machine, "davit-drain", spec));
    const how = already ? "is draining already" : drainAt === undefined ? "is draining" : `drains at ${drainAt}`;
    print(`${machineLabel(machine)} ${how}`);
  }
  if (options.wait || options.timeout !== undefined) await waitUntilEmpty(api, wished, options);
}

/** Follows the condition `Drained` of each. */
async function waitUntilEmpty(
  api: Api,
  wished: readonly ContainerInstance[],
  { namespace, timeout }: Options,
): Promise<void> {
  const said = new Map<string, string>();
  const say = (machine: ContainerInstance, text: string): void => {
    if (said.get(machine.metadata.name) === text) return;
    said.set(machine.metadata.name, text);
    if (text !== NOT_SEEN) process.stderr.write(`${hostOf(machine)}: ${text}\n`);
  };
  const left = new Map(wished.map((machine) => [machine.metadata.name, machine]));
  const stillWaits = (): string =>
    [...left.values()].map((machine) => `${hostOf(machine)}: ${said.get(machine.metadata.name) ?? ""}`).join("\n");
  const goesOn = "The drain goes on; `davit uncordon` takes it back.";

  const done = (objects: ReadonlyMap<string, unknown>): true | undefined => {
    for (const [name, wish] of left) {
      const machine = objects.get(name) as ContainerInstance | undefined;
      const state = progressOf(wish, machine);
      if (state.over) {
        left.delete(name);
        print(`${machineLabel(wish)} ${state.text}`);
      } else if (machine !== undefined) say(machine, state.text);
    }
    return left.size === 0 || undefined;
  };
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort(new Failure(`still waits for:\n${stillWaits()}\n${goesOn}`, 130));
  process.once("SIGINT", onSignal);
  try {
    const limitMs = timeout ?? Number.POSITIVE_INFINITY;
    await waitForObjects(
      { api, resource: findResource("machine"), namespace, timeoutMs: limitMs, signal: interrupt.signal },
      done,
      () => new Failure(`not drained after ${limitMs / 1000} s:\n${stillWaits()}\n${goesOn}`),
    );
  } finally {
    process.off("SIGINT", onSignal);
  }
}

const NOT_SEEN = "the controllers have not seen the wish yet";

/** How the drain stands that was wished. @throws Failure when somebody has taken it back */
export function progressOf(
  wish: ContainerInstance,
  machine: ContainerInstance | undefined,
): { over: boolean; text: string } {
  if (machine === undefined || machine.status?.status === "INACTIVE") return { over: true, text: "has left" };
  const { spec, status, metadata } = machine;
  if (spec.status !== "DRAINING" && spec.drainAt === undefined && status?.status !== "DEREGISTERING")
    throw new Failure(`${hostOf(machine)} is to be ACTIVE again: somebody has taken the drain back.`);
  const drained = getCondition(status?.conditions, "Drained");
  // One of an earlier wish says nothing of this one.
  const current = (drained?.observedGeneration ?? metadata.generation) >= wish.metadata.generation;
  if (drained !== undefined && current) {
    if (drained.status === "True") return { over: true, text: "is drained" };
    return { over: false, text: `${drained.reason}: ${drained.message}` };
  }
  const later = spec.status !== "DRAINING" && spec.drainAt !== undefined && Date.parse(spec.drainAt) > Date.now();
  return { over: false, text: later ? `drains at ${spec.drainAt}` : NOT_SEEN };
}

const hostOf = ({ metadata, status }: ContainerInstance): string => status?.hostname ?? metadata.name;
