// A pretended service for tests of planRolling: it does what the plan says, and time passes as the test wills.
import { planRolling, type RollingPlan, type RollingTaskState } from "../../state-machines/rolling.js";

export interface Limits {
  desiredCount: number;
  maximumPercent: number;
  minimumHealthyPercent: number;
}

interface PretendedTask {
  set: string;
  state: RollingTaskState;
  machine?: string;
  /** The lost task in whose place it was started. */
  standsFor?: string;
}

export class RollingCluster {
  readonly tasks = new Map<string, PretendedTask>();
  readonly draining = new Set<string>();
  /** Machines whose tasks are set aside. */
  readonly lost = new Set<string>();
  private made = 0;

  constructor(
    public limits: Limits,
    /** The last one is the deployment that is wanted. */
    readonly sets: string[] = ["old", "new"],
    /** Where a task is placed. */
    readonly place: () => string | undefined = () => undefined,
  ) {}

  add(set: string, state: RollingTaskState, howMany: number, machine?: string): this {
    for (let i = 0; i < howMany; i++) {
      const on = machine ?? this.place();
      this.tasks.set(`${set}-${++this.made}`, { set, state, ...(on !== undefined && { machine: on }) });
    }
    return this;
  }

  isLost = ({ machine }: PretendedTask): boolean => machine !== undefined && this.lost.has(machine);
  isLeaving = ({ machine }: PretendedTask): boolean => machine !== undefined && this.draining.has(machine);
  /** All but those that are set aside. */
  get counted(): PretendedTask[] {
    return [...this.tasks.values()].filter((task) => !this.isLost(task));
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
          .filter(([, task]) => task.set === name && !(this.isLost(task) && task.state === "stopping"))
          .map(([name, task]) => ({
            name,
            state: this.isLost(task) ? "lost" : task.state,
            leaving: this.isLeaving(task),
            standIn: this.isStandIn(task),
          })),
      })),
    });
  }

  private isStandIn({ standsFor }: PretendedTask): boolean {
    const original = standsFor === undefined ? undefined : this.tasks.get(standsFor);
    return original !== undefined && !this.isLost(original) && original.state !== "stopping";
  }

  apply(plan: RollingPlan): void {
    for (const set of plan.sets) {
      for (const name of set.stop) this.set(name, "stopping");
      for (let i = 0; i < set.start; i++) {
        const replaced = new Set([...this.tasks.values()].map(({ standsFor }) => standsFor));
        const [original] =
          [...this.tasks].find(([name, task]) => task.set === set.name && this.isLost(task) && !replaced.has(name)) ??
          [];
        this.add(set.name, "starting", 1);
        const made = [...this.tasks.values()].at(-1);
        if (made && original !== undefined) made.standsFor = original;
      }
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
    return this.counted.filter((task) => task.state === state && (set === undefined || task.set === set)).length;
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
