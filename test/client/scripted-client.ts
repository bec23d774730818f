import type { Kind, Kinds, Task } from "../../api/types.gen.js";
import type { ListOptions, ObjectClient, WatchBatch } from "../../client/object-client.js";

export function task(name: string, resourceVersion: number, more: { uid?: string; group?: string } = {}): Task {
  return {
    apiVersion: "davit.dev/v1",
    kind: "Task",
    metadata: {
      name,
      namespace: "default",
      uid: more.uid ?? `uid-${name}`,
      resourceVersion: String(resourceVersion),
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: { taskDefinition: "web:1", ...(more.group && { group: more.group }) } as Task["spec"],
  };
}

/** A server of tasks that does what the test says, when it says so. Writes are answered with the object they send. */
export class ScriptedClient implements ObjectClient {
  readonly lists: ListOptions[] = [];
  readonly watches: (ListOptions & { resourceVersion: string })[] = [];
  /** What the next lists answer; the last one stays. */
  listAnswers: (Error | { items: Task[]; resourceVersion: string })[] = [];
  private readonly watchers = new Set<(next: WatchBatch<Task> | Error | "end") => void>();

  async list<K extends Kind>(_kind: K, options: ListOptions = {}) {
    this.lists.push(options);
    const answer = this.listAnswers.length > 1 ? this.listAnswers.shift() : this.listAnswers[0];
    if (answer instanceof Error) throw answer;
    return (answer ?? { items: [], resourceVersion: "0" }) as { items: Kinds[K][]; resourceVersion: string };
  }

  async *watch<K extends Kind>(_kind: K, options: ListOptions & { resourceVersion: string; signal: AbortSignal }) {
    this.watches.push(options);
    const queue: (WatchBatch<Task> | Error | "end")[] = [];
    let wake = () => {};
    const push = (next: WatchBatch<Task> | Error | "end") => {
      queue.push(next);
      wake();
    };
    const abort = () => push("end");
    this.watchers.add(push);
    options.signal.addEventListener("abort", abort);
    try {
      for (;;) {
        const next = queue.shift();
        if (next === "end") return;
        if (next instanceof Error) throw next;
        if (next) yield next as WatchBatch<Kinds[K]>;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      this.watchers.delete(push);
      options.signal.removeEventListener("abort", abort);
    }
  }

  get watching(): boolean {
    return this.watchers.size > 0;
  }
  /** To all who watch now. */
  send(next: WatchBatch<Task> | Error | "end"): void {
    for (const push of [...this.watchers]) push(next);
  }

  async get() {
    return undefined;
  }
  async create<K extends Kind>(_kind: K, object: unknown) {
    return object as Kinds[K];
  }
  async update<K extends Kind>(_kind: K, object: Kinds[K]) {
    return object;
  }
  async updateStatus<K extends Kind>(_kind: K, object: Kinds[K]) {
    return object;
  }
  async patch<K extends Kind>(): Promise<Kinds[K]> {
    throw new Error("not scripted");
  }
  async delete(): Promise<void> {}
}
