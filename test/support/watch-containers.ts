// Which containers run, as Docker has it: looked at again and again, and told by every start and end in between, so that
// not even a moment's lack or double is missed.
import { createDockerHttp, socketPath } from "../../agent/runtimes/docker/http.js";
import { LABELS } from "../../agent/runtimes/labels.js";

/** Container id → its labels. */
export type Running = ReadonlyMap<string, Readonly<Record<string, string>>>;

export interface Watched {
  readonly samples: number;
  readonly forMs: number;
  /** Between two samples. */
  readonly longestGapMs: number;
}

export interface WatchOptions {
  /** Whether a container of these labels counts. Only those that an agent made are looked at. */
  isOurs(labels: Readonly<Record<string, string>>): boolean;
  /** Told of what runs by each sample, and at each start and end. */
  look(running: Running): void;
  /** Between samples. @default 40 */
  gapMs?: number;
}

interface Container {
  Id: string;
  Labels: Record<string, string>;
}
interface Event {
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
}

/** Looks on until it is told to stop. */
export async function watchContainers({ isOurs, look, gapMs = 40 }: WatchOptions): Promise<{
  stop(): Promise<Watched>;
}> {
  const docker = createDockerHttp(socketPath(process.env.DOCKER_HOST));
  const ending = new AbortController();
  const list = async (): Promise<Map<string, Record<string, string>>> => {
    const filters = JSON.stringify({ label: [LABELS.agent], status: ["running"] });
    const found = await docker.call<Container[]>({
      method: "GET",
      path: "/v1.40/containers/json",
      query: { filters },
      timeoutMs: 10_000,
    });
    return new Map(found.filter(({ Labels }) => isOurs(Labels)).map(({ Id, Labels }) => [Id, Labels]));
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
  look(running);
  const following = (async () => {
    let rest = "";
    try {
      for await (const chunk of events) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines.filter(Boolean)) {
          const { Action, Actor } = JSON.parse(line) as Event;
          if (!isOurs(Actor.Attributes)) continue;
          if (Action === "start") running.set(Actor.ID, Actor.Attributes);
          else running.delete(Actor.ID);
          look(running);
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
    const sample = list().then(look);
    asked.add(sample);
    void sample.finally(() => asked.delete(sample));
  }, gapMs);

  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(asked);
      const forMs = performance.now() - startMs;
      ending.abort();
      await following;
      docker.close();
      return { samples, forMs, longestGapMs };
    },
  };
}
