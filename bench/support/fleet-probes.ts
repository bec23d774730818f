// Tasks that somebody starts on certain machines, one after the other, and how long each takes to be RUNNING.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ObjectClient } from "../../client/object-client.js";
import { eventually } from "../../test/support/wait.js";

export interface Latencies {
  count: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface Probes {
  /** Tasks that were started and go on running. */
  alive(): number;
  /** Starts no more, and waits for those that are under way. */
  end(): Promise<Latencies>;
  /** Starts no more, and waits for nothing. */
  close(): void;
}

const EVERY_MS = 100;
const LABEL = "bench.davit.dev/probe";

/** A task every 100 ms, on one of these instances after the other, until `end`. */
export async function startProbes(
  client: ObjectClient,
  definition: string,
  instances: readonly string[],
): Promise<Probes> {
  const ending = new AbortController();
  const run = randomBytes(4).toString("hex");
  const sentAt = new Map<string, number>();
  const tookMs: number[] = [];
  const { resourceVersion } = await client.list("Task", { namespace: "default", labelSelector: `${LABEL}=${run}` });

  const follow = async (): Promise<void> => {
    const options = { namespace: "default", labelSelector: `${LABEL}=${run}`, resourceVersion, signal: ending.signal };
    for await (const { events } of client.watch("Task", options))
      for (const { object } of events) {
        const sent = sentAt.get(object.metadata.name);
        if (sent === undefined || object.status?.lastStatus !== "RUNNING") continue;
        sentAt.delete(object.metadata.name);
        tookMs.push(performance.now() - sent);
      }
  };
  let count = 0;
  let over = false;
  const start = async (): Promise<void> => {
    const name = `probe-${run}-${++count}`;
    sentAt.set(name, performance.now());
    await client.create("Task", {
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: { name, namespace: "default", labels: { [LABEL]: run } },
      spec: { taskDefinition: definition, containerInstance: instances[count % instances.length] },
    });
  };
  const begin = async (): Promise<void> => {
    while (!over) {
      start().catch((error: unknown) => {
        if (!ending.signal.aborted) throw error;
      });
      await sleep(EVERY_MS);
    }
  };
  const following = follow();
  const beginning = begin();
  return {
    close() {
      over = true;
      ending.abort();
    },
    alive: () => count,
    async end() {
      over = true;
      await beginning;
      await eventually("all started tasks are RUNNING", () => sentAt.size === 0, 60_000);
      ending.abort();
      await following;
      tookMs.sort((a, b) => a - b);
      const at = (part: number): number => tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * part))] ?? 0;
      return { count: tookMs.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
    },
  };
}
