// How many copies of a service's tasks run, as Docker has it.
import { LABELS } from "../../agent/runtimes/labels.js";
import { type Running, type Watched, watchContainers } from "./watch-containers.js";

export interface Copies extends Watched {
  /** What was seen, in words: for a test's output. */
  readonly text: string;
  /** Of all samples and all moments at which one began or ended. */
  readonly fewest: number;
  readonly most: number;
  /** Tasks of which two copies of a container ran at a time. */
  readonly doubles: readonly string[];
}

/** Of which task a container is a copy. */
const copyOf = (labels: Readonly<Record<string, string>>): string =>
  `${labels[LABELS.task]}/${labels[LABELS.container]}`;

/** Containers of one task that run at the same time. */
export function doublesIn(running: Running): string[] {
  const names = [...running.values()].map(copyOf);
  return names.filter((name, at) => names.indexOf(name) !== at);
}

/** Counts the running containers of these instances' tasks, until it is told to stop.
 *  @param family of the task definition whose tasks count */
export async function watchCopies(
  instances: ReadonlySet<string>,
  family: string,
  gapMs?: number,
): Promise<{ stop(): Promise<Copies> }> {
  let fewest = Number.POSITIVE_INFINITY;
  let most = 0;
  const doubles = new Set<string>();
  const watch = await watchContainers({
    ...(gapMs !== undefined && { gapMs }),
    isOurs: (labels) =>
      instances.has(labels[LABELS.agent] ?? "") && (labels[LABELS.revision] ?? "").startsWith(`${family}:`),
    look(running) {
      fewest = Math.min(fewest, running.size);
      most = Math.max(most, running.size);
      for (const double of doublesIn(running)) doubles.add(double);
    },
  });
  return {
    async stop() {
      const watched = await watch.stop();
      const { samples, forMs, longestGapMs } = watched;
      const text = `${samples} samples in ${(forMs / 1000).toFixed(1)} s, at most ${longestGapMs.toFixed(0)} ms apart; ${fewest} to ${most} containers ran, ${doubles.size} tasks twice`;
      return { ...watched, text, fewest, most, doubles: [...doubles] };
    },
  };
}
