import type { Command } from "commander";
import type { ContainerInstance } from "../api/types.gen.js";
import { isDeletionDenied } from "../client/object-client.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { machineLabel, patchMachine } from "./api/machines.js";
import { resolve } from "./api/names.js";
import { waitForObjects } from "./api/objects.js";
import { findResource, pathOf } from "./api/resources.js";
import { timeoutMs } from "./arguments.js";
import { Failure, messageOf, UsageError } from "./failure.js";
import { print } from "./output/terminal.js";

interface Options extends ApiOptions {
  force?: boolean;
  orphan?: boolean;
  wait?: boolean;
  timeout?: number;
}

export function define(command: Command): void {
  command
    .description(
      "Takes a machine out of its cluster for good. The machine itself runs on. While tasks are on it this is refused, unless it is said what becomes of them.",
    )
    .argument("<node...>", "host name, id, ARN, or a unique beginning of one")
    .option("--force", "its tasks are stopped; if its agent cannot be reached, they count as stopped")
    .option("--orphan", "its containers run on, and nobody looks after them any more")
    .option("--wait", "until it has left")
    .option("--timeout <D>", "wait so long at most (90s, 10m, 2h); it leaves all the same", timeoutMs)
    .addHelpText(
      "after",
      "\nServices start others elsewhere, where there is room. To move them without a gap, `davit drain` the machine first. It can be looked at for another hour (`davit get machines --all`), and may join anew.\n\nExamples:\n  $ davit drain db-3 --wait && davit deregister db-3\n  $ davit deregister db-3 --force --wait",
    )
    .action((nodes: string[], options: Options) => withApi(options, (api) => deregister(api, nodes, options)));
  withApiOptions(command);
}

async function deregister(api: Api, nodes: readonly string[], options: Options): Promise<void> {
  if (options.force && options.orphan)
    throw new UsageError("--force stops the containers, --orphan leaves them running: say one of them.");
  const how = options.force ? "Force" : options.orphan ? "Orphan" : "IfEmpty";
  const resource = findResource("machine");
  const machines: ContainerInstance[] = [];
  for (const node of nodes) machines.push((await resolve(api, resource, options.namespace, node)) as ContainerInstance);
  // Of several, none is touched where one is refused.
  if (how === "IfEmpty") for (const machine of machines) await checkEmpty(api, machine);
  const leaving = new Map<string, ContainerInstance>();
  for (const machine of machines) {
    if (machine.status?.status === "INACTIVE") {
      print(`${machineLabel(machine)} has left already`);
      continue;
    }
    await patchMachine(api, machine, "davit-deregister", { deregister: how });
    leaving.set(machine.metadata.name, machine);
    print(`${machineLabel(machine)} ${how === "IfEmpty" ? "leaves" : WORDS[how]}`);
  }
  if (options.wait || options.timeout !== undefined) await waitUntilLeft(api, leaving, options);
}

const WORDS = { Force: "leaves, its tasks are stopped", Orphan: "leaves, its containers are left to themselves" };

/** The API knows, better than any counter. @throws Failure with the number of tasks */
async function checkEmpty(api: Api, machine: ContainerInstance): Promise<void> {
  const { namespace, name } = machine.metadata;
  try {
    await api.call(`${pathOf(findResource("machine"), namespace, name)}?dryRun=All`, { method: "DELETE" });
  } catch (error) {
    if (!isDeletionDenied(error)) throw error;
    throw new Failure(
      `${messageOf(error)}\nMove them with \`davit drain ${name} --wait\`, or say what becomes of them: --force stops them, --orphan leaves their containers running.`,
    );
  }
}

async function waitUntilLeft(
  api: Api,
  leaving: ReadonlyMap<string, ContainerInstance>,
  { namespace, timeout }: Options,
): Promise<void> {
  const left = new Map(leaving);
  const limitMs = timeout ?? Number.POSITIVE_INFINITY;
  await waitForObjects(
    { api, resource: findResource("machine"), namespace, timeoutMs: limitMs },
    (objects) => {
      for (const [name, machine] of left) {
        const now = objects.get(name) as ContainerInstance | undefined;
        if (now !== undefined && now.metadata.uid === machine.metadata.uid && now.status?.status !== "INACTIVE")
          continue;
        left.delete(name);
        print(`${machineLabel(machine)} has left`);
      }
      return left.size === 0 || undefined;
    },
    () =>
      new Failure(
        `not gone after ${limitMs / 1000} s: ${[...left.values()].map(machineLabel).join(", ")}. They leave all the same; \`davit describe machine\` says what they wait for.`,
      ),
  );
}
