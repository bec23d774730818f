// A pretended service for tests of planRolling: it does what the plan says, and time passes as the test wills.
import { planRolling, type RollingPlan, type RollingTaskState } from "../../state-machines/rolling.js";

export interface Limits {
  desiredCount: number;
  maximumPercent: number;
  minimumHealthyPercent: number;
}

export class RollingCluster {
  readonly tasks = new Map<string, { set: string; state: RollingTaskState }>();
  private made = 0;

  constructor(
    public limits: Limits,
    /** The last one is the deployment that is wanted. */
    readonly sets: string[] = ["old", "new"],
  ) {}

  add(set: string, state: RollingTaskState, howMany: number): this {
    for (let i = 0; i < howMany; i++) this.tasks.set(`${set}-${++this.made}`, { set, state });
    return this;
  }

  plan(more: { startsBlocked?: boolean } = {}): RollingPlan {
    const primary = this.sets.at(-1);
    return planRolling({
      ...this.limits,
      ...more,
      sets: this.sets.map((name) => ({
        name,
        primary: name === primary,
        tasks: [...this.tasks]
          .filter(([, task]) => task.set === name)
          .map(([task, { state }]) => ({ name: task, state })),
      })),
    });
  }

  apply(plan: RollingPlan): void {
    for (const set of plan.sets) {
      for (const name of set.stop) this.set(name, "stopping");
      this.add(set.name, "starting", set.start);
    }
  }

  set(name: string, state: RollingTaskState): void {
    const task = this.tasks.get(name);
    if (task) task.state = state;
  }

  /** Every task in `from` comes to `to`; "gone" is STOPPED. */
  settle(from: RollingTaskState, to: RollingTaskState | "gone"): void {
    for (const [name, task] of [...this.tasks])
      if (task.state === from) {
        if (to === "gone") this.tasks.delete(name);
        else task.state = to;
      }
  }

  count(state: RollingTaskState, set?: string): number {
    return [...this.tasks.values()].filter((task) => task.state === state && (set === undefined || task.set === set))
      .length;
  }

  /** `old/new` in the notation of spec/06 §11: `4/2+2p` is four old, two new and two new pending. */
  toString(): string {
    const part = (set: string): string => {
      const healthy = this.count("healthy", set);
      const pending = this.count("starting", set);
      return pending === 0 ? `${healthy}` : healthy === 0 ? `${pending}p` : `${healthy}+${pending}p`;
    };
    return this.sets.map(part).join("/");
  }
}

export const totals = (plan: RollingPlan): { start: number; stop: number } => ({
  start: plan.sets.reduce((sum, set) => sum + set.start, 0),
  stop: plan.sets.reduce((sum, set) => sum + set.stop.length, 0),
});
