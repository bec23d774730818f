// What machines are like just now, asked of their agents through the API.
import type { ContainerInstance } from "../../api/types.gen.js";
import type { ProbeAnswer } from "../../bus/messages.js";
import { inParallel } from "../../controllers/parallel.js";
import { messageOf } from "../failure.js";
import type { Api } from "./api.js";
import { findResource, pathOf } from "./resources.js";

/** What came of asking one machine. */
export interface Probe {
  answer?: ProbeAnswer;
  /** Why there is no answer. */
  silence?: string;
  /** This machine's clock. */
  sentMs: number;
  receivedMs: number;
}

export interface ProbeOptions {
  now: () => number;
  /** Asked at the same time. @default 32 */
  atOnce?: number;
  /** Of one agent. @default 5 */
  timeoutSeconds?: number;
  /** Of all of them: whoever was not asked by then stays unasked. @default 20_000 */
  deadlineMs?: number;
}

const INSTANCES = findResource("containerinstance");

export const probeKey = ({ metadata }: Pick<ContainerInstance, "metadata">): string =>
  `${metadata.namespace}/${metadata.name}`;

/** Of every machine, by `probeKey`. One whose agent is known to be away is not waited for. */
export async function probeAll(
  api: Pick<Api, "call">,
  instances: readonly ContainerInstance[],
  { now, atOnce = 32, timeoutSeconds = 5, deadlineMs = 20_000 }: ProbeOptions,
): Promise<ReadonlyMap<string, Probe>> {
  const probes = new Map<string, Probe>();
  const deadline = AbortSignal.timeout(deadlineMs);
  const query = { timeoutSeconds: String(timeoutSeconds) };
  const ask = async (instance: ContainerInstance): Promise<void> => {
    const sentMs = now();
    const outcome = await (async () => {
      if (instance.status?.agentConnected !== true) return { silence: "its agent is not connected" };
      if (deadline.aborted) return { silence: `was not asked within ${deadlineMs / 1000} s` };
      const path = `${pathOf(INSTANCES, instance.metadata.namespace, instance.metadata.name)}/probe`;
      return { answer: (await api.call(path, { query, signal: deadline })) as ProbeAnswer };
    })().catch((error: unknown) => ({
      silence: deadline.aborted ? `no answer within ${deadlineMs / 1000} s` : messageOf(error),
    }));
    probes.set(probeKey(instance), { ...outcome, sentMs, receivedMs: now() });
  };
  await inParallel(instances, ask, atOnce);
  return probes;
}
