// What is done now about the tasks of one machine that is not heard of. State in, plan out.
import type { Task } from "../../api/types.gen.js";
import { type Hearing, judge, type LostTask } from "../task/lost.js";

export interface LostPlan {
  /** Count as stopped. */
  stop: Task[];
  /** Stay, and count no more until the machine is back. */
  setAside: Task[];
  /** When the next of them is due, ms. */
  dueMs?: number;
  /** Some would be decided if this control plane heard anybody. */
  deaf: boolean;
}

export function planLost(tasks: readonly LostTask[], sinceMs: number, hearing: Hearing, nowMs: number): LostPlan {
  const plan: LostPlan = { stop: [], setAside: [], deaf: false };
  for (const each of tasks) {
    const verdict = judge(each, sinceMs, hearing, nowMs);
    switch (verdict.kind) {
      case "stop":
        plan.stop.push(each.task);
        break;
      case "setAside":
        plan.setAside.push(each.task);
        break;
      case "wait":
        plan.dueMs = Math.min(plan.dueMs ?? Number.POSITIVE_INFINITY, verdict.untilMs);
        break;
      case "deaf":
        plan.deaf = true;
        break;
      case "keep":
        break;
    }
  }
  return plan;
}
