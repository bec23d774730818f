// Machines as commands name them.
import type { ContainerInstance } from "../../api/types.gen.js";
import { Failure } from "../failure.js";
import type { Api } from "./api.js";
import { resolve } from "./names.js";
import { findResource, pathOf } from "./resources.js";

/** The machines that are meant, each once. @throws Failure when one of them is not there, or leaves for good */
export async function resolveMachines(
  api: Api,
  namespace: string,
  typed: readonly string[],
): Promise<ContainerInstance[]> {
  const resource = findResource("machine");
  const machines = new Map<string, ContainerInstance>();
  for (const each of typed) {
    const name = each.startsWith("arn:") ? each : each.replace(/^[a-z]+\//, "");
    const machine = (await resolve(api, resource, namespace, name)) as ContainerInstance;
    const state = machine.status?.status;
    if (state === "DEREGISTERING" || state === "INACTIVE" || machine.spec.deregister !== undefined)
      throw new Failure(`${machineLabel(machine)} leaves for good (${state}): there is nothing to drain or uncordon.`);
    machines.set(machine.metadata.name, machine);
  }
  return [...machines.values()];
}

/** `containerinstance.davit.dev/<id> (host)`. */
export const machineLabel = ({ metadata, status }: ContainerInstance): string =>
  `containerinstance.davit.dev/${metadata.name}${status?.hostname === undefined ? "" : ` (${status.hostname})`}`;

/** @param by the field manager */
export async function patchMachine(
  api: Api,
  { metadata }: ContainerInstance,
  by: string,
  spec: Record<string, unknown>,
): Promise<ContainerInstance> {
  const path = `${pathOf(findResource("machine"), metadata.namespace, metadata.name)}?fieldManager=${by}`;
  const patch = { method: "PATCH" as const, contentType: "application/merge-patch+json", body: { spec } };
  return (await api.call(path, patch)) as ContainerInstance;
}
