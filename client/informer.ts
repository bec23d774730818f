import type { Log } from "../api/log.js";
import type { ApiObject } from "../api/meta.js";
import type { Kind, Kinds } from "../api/types.gen.js";
import { type BackOffLimits, backOffMs, sleep } from "./back-off.js";
import { type IndexFunction, ObjectCache } from "./object-cache.js";
import { ApiError, type ListOptions, type ObjectClient, type Ref, type WatchBatch } from "./object-client.js";

export interface Handlers<T> {
  added?(object: T): void;
  updated?(object: T, previous: T): void;
  /** With the last state that was seen. */
  deleted?(object: T): void;
  /** After each batch, list or bookmark: the cache is at `resourceVersion` now. */
  reached?(): void;
}

/** A moment that the cache has yet to reach. */
export interface Mark {
  readonly resourceVersion: number;
  /** A list begun after this one shows the moment too, even where resourceVersions have started afresh. */
  readonly listsBegun: number;
}

/** The objects of one kind, kept up to date by list and watch. Objects are shared: never mutate one. */
export interface Informer<T extends ApiObject = ApiObject> {
  readonly kind: Kind;
  /** Resolves when the first list is in the cache and has been handed to the handlers; never if aborted before. */
  readonly synced: Promise<void>;
  /** "" before the first list. */
  readonly resourceVersion: string;
  get(ref: Ref): T | undefined;
  getByUid(uid: string): T | undefined;
  list(namespace?: string): readonly T[];
  byIndex(name: string, value: string): readonly T[];
  /** Hands over what is in the cache as added, then every change. A handler must not throw. Returns how to stop it. */
  on(handlers: Handlers<T>): () => void;
  /** The moment of a write that has just been answered with this resourceVersion. */
  mark(resourceVersion: string): Mark;
  hasReached(mark: Mark): boolean;
}

export interface InformerOptions<T> extends ListOptions {
  indexes?: Readonly<Record<string, IndexFunction<T>>>;
  signal: AbortSignal;
  log: Log;
  /** 0 up to 1. @default Math.random */
  random?: () => number;
  /** Between attempts to list or watch that fail. @default 100 ms to 30 s */
  backOff?: BackOffLimits;
}

/** Starts at once, and ends with the signal. Nothing that the server does ends it: it lists again when its
 *  resourceVersion has expired, watches again when the watch ends, and tries again, ever more slowly, on errors. */
export function createInformer<K extends Kind>(
  client: ObjectClient,
  kind: K,
  options: InformerOptions<Kinds[K]>,
): Informer<Kinds[K]> {
  return new ListWatchInformer(client, kind, options);
}

class ListWatchInformer<K extends Kind> implements Informer<Kinds[K]> {
  readonly synced: Promise<void>;
  private readonly cache: ObjectCache<Kinds[K]>;
  private readonly handlers = new Set<Handlers<Kinds[K]>>();
  private readonly scope: ListOptions;
  private version = "";
  private listsBegun = 0;
  private newestListShown = 0;
  private failures = 0;

  constructor(
    private readonly client: ObjectClient,
    readonly kind: K,
    private readonly options: InformerOptions<Kinds[K]>,
  ) {
    const { namespace, labelSelector, fieldSelector } = options;
    this.scope = { namespace, labelSelector, fieldSelector };
    this.cache = new ObjectCache(options.indexes);
    this.synced = new Promise((resolve) => {
      void this.run(resolve);
    });
  }

  get resourceVersion(): string {
    return this.version;
  }
  get(ref: Ref): Kinds[K] | undefined {
    return this.cache.get(ref);
  }
  getByUid(uid: string): Kinds[K] | undefined {
    return this.cache.getByUid(uid);
  }
  list(namespace?: string): readonly Kinds[K][] {
    return this.cache.list(namespace);
  }
  byIndex(name: string, value: string): readonly Kinds[K][] {
    return this.cache.byIndex(name, value);
  }

  on(handlers: Handlers<Kinds[K]>): () => void {
    for (const object of this.cache.list()) handlers.added?.(object);
    this.handlers.add(handlers);
    return () => this.handlers.delete(handlers);
  }

  mark(resourceVersion: string): Mark {
    return { resourceVersion: Number(resourceVersion), listsBegun: this.listsBegun };
  }
  hasReached(mark: Mark): boolean {
    return Number(this.version || "-1") >= mark.resourceVersion || this.newestListShown > mark.listsBegun;
  }

  private async run(synced: () => void): Promise<void> {
    const { signal } = this.options;
    let listed = false;
    while (!signal.aborted) {
      try {
        if (!listed) {
          await this.relist();
          if (signal.aborted) return;
          listed = true;
          synced();
        }
        await this.follow();
        // The server has ended the watch: no error, but not to be repeated without a pause either.
        if (!signal.aborted) await this.pause();
      } catch (error) {
        if (signal.aborted) return;
        if (isExpired(error)) listed = false;
        else this.options.log.warn({ kind: this.kind, error: String(error) }, "list or watch failed, trying again");
        await this.pause();
      }
    }
  }

  private pause(): Promise<void> {
    const { random = Math.random, backOff = { minMs: 100, maxMs: 30_000 }, signal } = this.options;
    this.failures++;
    return sleep(backOffMs(this.failures, backOff, random), signal);
  }

  private async relist(): Promise<void> {
    const list = ++this.listsBegun;
    const { items, resourceVersion } = await this.client.list(this.kind, this.scope);
    if (this.options.signal.aborted) return;
    const gone = new Set(this.cache.list());
    for (const object of items) {
      const known = this.cache.get(object.metadata);
      if (known) gone.delete(known);
      if (
        known?.metadata.resourceVersion !== object.metadata.resourceVersion ||
        known.metadata.uid !== object.metadata.uid
      )
        this.show(object);
    }
    for (const object of gone) this.remove(object);
    this.version = resourceVersion;
    this.newestListShown = list;
    this.reached();
  }

  private async follow(): Promise<void> {
    const { signal } = this.options;
    const watch = this.client.watch(this.kind, { ...this.scope, resourceVersion: this.version, signal });
    for await (const batch of watch) {
      if (signal.aborted) return;
      this.failures = 0;
      this.apply(batch);
    }
  }

  private apply({ events, resourceVersion }: WatchBatch<Kinds[K]>): void {
    for (const { type, object } of events)
      if (type === "DELETED") this.remove(object);
      else this.show(object);
    this.version = resourceVersion;
    this.reached();
  }

  private show(object: Kinds[K]): void {
    const known = this.cache.get(object.metadata);
    // Deleted and made again between two looks: its owners must hear of both.
    const replaced = known !== undefined && known.metadata.uid !== object.metadata.uid;
    if (replaced) this.remove(known);
    const previous = replaced ? undefined : known;
    this.cache.set(object);
    for (const handlers of this.handlers)
      if (previous) handlers.updated?.(object, previous);
      else handlers.added?.(object);
  }

  private remove(object: Kinds[K]): void {
    if (!this.cache.delete(object.metadata)) return;
    for (const handlers of this.handlers) handlers.deleted?.(object);
  }

  private reached(): void {
    for (const handlers of this.handlers) handlers.reached?.();
  }
}

const isExpired = (error: unknown): boolean => error instanceof ApiError && error.code === 410;
