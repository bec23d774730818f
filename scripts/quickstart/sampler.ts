// How many healthy tasks answer, looked at all the time.
import { get } from "node:http";
import { getPriority, setPriority } from "node:os";
import type { House, WebTask } from "./house.js";

export interface Samples {
  samples: number;
  /** The fewest healthy tasks that answered in one sample. */
  fewest: number;
  longestGapMs: number;
}

const EVERY_MS = 40;
/** Above what else runs here, where that is allowed: a late sample would miss a moment. */
const PRIORITY = -10;
const ANSWER_WITHIN_MS = 1_000;
/** How late the API may tell that a task has become healthy. */
const TOLD_WITHIN_MS = 30;

/** Samples until the action has ended. In each, every running task is asked for a page. */
export async function sampleWhile(house: House, action: () => Promise<void>): Promise<Samples> {
  const result: Samples = { samples: 0, fewest: Number.POSITIVE_INFINITY, longestGapMs: 0 };
  const pending = new Set<Promise<void>>();
  let lastAt = performance.now();
  const look = (): void => {
    const now = performance.now();
    result.longestGapMs = Math.max(result.longestGapMs, now - lastAt);
    lastAt = now;
    const sample = answering(house).then((count) => {
      result.samples += 1;
      result.fewest = Math.min(result.fewest, count);
      pending.delete(sample);
    });
    pending.add(sample);
  };
  const formerPriority = prioritize(PRIORITY);
  look();
  const timer = setInterval(look, EVERY_MS);
  try {
    await action();
  } finally {
    clearInterval(timer);
    if (formerPriority !== undefined) prioritize(formerPriority);
    await Promise.all(pending);
  }
  return result;
}

/** @returns what it was; undefined where it may not be changed */
function prioritize(priority: number): number | undefined {
  try {
    const former = getPriority();
    setPriority(priority);
    return former;
  } catch {
    return undefined;
  }
}

/** Tasks that answer and are healthy. A new task may be healthy before this process has heard of it, and then an old one
 *  is already let go: so health counts as told before or just after. */
async function answering(house: House): Promise<number> {
  const asked = house.running();
  const healthy = new Set(house.healthy().map(({ name }) => name));
  const answered = await Promise.all(asked.map(async (task) => ((await answers(task)) ? [task.name] : [])));
  await new Promise((resolve) => setTimeout(resolve, TOLD_WITHIN_MS));
  for (const { name } of house.healthy()) healthy.add(name);
  return answered.flat().filter((name) => healthy.has(name)).length;
}

function answers({ url }: WebTask): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: ANSWER_WITHIN_MS }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200)).once("error", () => resolve(false));
    });
    request.once("timeout", () => request.destroy()).once("error", () => resolve(false));
  });
}
