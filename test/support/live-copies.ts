// Who runs what, as Docker has it: looked at again and again, and told by every start and end in between, so that not
// even a moment's lack or double is missed.
import { createDockerHttp, socketPath } from "../../agent/runtimes/docker/http.js";
import { LABELS } from "../../agent/runtimes/labels.js";

export interface Copies {
  /** What was seen, in words: for a test's output. */
  readonly text: string;
  readonly samples: number;
  readonly forMs: number;
  readonly longestGapMs: number;
  /** Of all samples and all moments at which one began or ended. */
  readonly fewest: number;
  readonly most: number;
  /** Tasks of which two copies of a container ran at a time. */
  readonly doubles: readonly string[];
}

interface Container {
  Id: string;
  Labels: Record<string, string>;
}
interface Event {
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
}

/** Counts the running containers of these instances' tasks, until it is told to stop.
 *  @param family of the task definition whose tasks count */
export async function watchCopies(
  instances: ReadonlySet<string>,
  family: string,
  gapMs = 40,
): Promise<{ stop(): Promise<Copies> }> {
  const docker = createDockerHttp(socketPath(process.env.DOCKER_HOST));
  const ending = new AbortController();
  const isOurs = (labels: Record<string, string>): boolean =>
    instances.has(labels[LABELS.agent] ?? "") && (labels[LABELS.revision] ?? "").startsWith(`${family}:`);
  const nameOf = (labels: Record<string, string>): string => `${labels[LABELS.task]}/${labels[LABELS.container]}`;

  let fewest = Number.POSITIVE_INFINITY;
  let most = 0;
  const doubles = new Set<string>();
  const count = (running: ReadonlyMap<string, string>): void => {
    fewest = Math.min(fewest, running.size);
    most = Math.max(most, running.size);
    const seen = new Set<string>();
    for (const name of running.values()) {
      if (seen.has(name)) doubles.add(name);
      seen.add(name);
    }
  };
  const list = async (): Promise<Map<string, string>> => {
    const filters = JSON.stringify({ label: [LABELS.agent], status: ["running"] });
    const found = await docker.call<Container[]>({
      method: "GET",
      path: "/v1.40/containers/json",
      query: { filters },
      timeoutMs: 10_000,
    });
    return new Map(found.filter(({ Labels }) => isOurs(Labels)).map(({ Id, Labels }) => [Id, nameOf(Labels)]));
  };

  const events = await docker.stream(
    {
      method: "GET",
      path: "/v1.40/events",
      query: { filters: JSON.stringify({ type: ["container"], event: ["start", "die"], label: [LABELS.agent] }) },
      timeoutMs: 10_000,
    },
    ending.signal,
  );
  const running = await list();
  count(running);
  const following = (async () => {
    let rest = "";
    try {
      for await (const chunk of events) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines.filter(Boolean)) {
          const { Action, Actor } = JSON.parse(line) as Event;
          if (!isOurs(Actor.Attributes)) continue;
          if (Action === "start") running.set(Actor.ID, nameOf(Actor.Attributes));
          else running.delete(Actor.ID);
          count(running);
        }
      }
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    }
  })();

  const startMs = performance.now();
  let lastMs = startMs;
  let longestGapMs = 0;
  let samples = 0;
  const asked = new Set<Promise<void>>();
  // One that takes long to be answered does not keep the next from being asked.
  const timer = setInterval(() => {
    longestGapMs = Math.max(longestGapMs, performance.now() - lastMs);
    lastMs = performance.now();
    samples++;
    const look = list().then(count);
    asked.add(look);
    void look.finally(() => asked.delete(look));
  }, gapMs);

  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(asked);
      const forMs = performance.now() - startMs;
      ending.abort();
      await following;
      docker.close();
      const text = `${samples} samples in ${(forMs / 1000).toFixed(1)} s, at most ${longestGapMs.toFixed(0)} ms apart; ${fewest} to ${most} containers ran, ${doubles.size} tasks twice`;
      return { text, samples, forMs, longestGapMs, fewest, most, doubles: [...doubles] };
    },
  };
}
