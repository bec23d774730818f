// When an image is pulled (ECS_IMAGE_PULL_BEHAVIOR, spec/05 §4.3), and how often that is tried.

import type { Log } from "../../api/log.js";
import { type Runtime, RuntimeError } from "../runtimes/runtime.js";
import { sleep } from "./sleep.js";

export type PullBehavior = "default" | "always" | "once" | "prefer-cached";

export interface ImageOptions {
  pullBehavior: PullBehavior;
  /** How often a pull is tried while the registry answers 429 or 5xx, or not at all. */
  pullAttempts: number;
  /** Wait before the second try; it doubles with each further one. */
  pullBackoffMs: number;
}

/** One container's wait for its image. */
export interface Pull {
  /** Resolves when a container can be created from the image. @throws RuntimeError CannotPullContainerError. */
  done: Promise<void>;
  /** The image is no longer wanted: `done` rejects, and the pull ends if nobody else waits for it. */
  abandon(): void;
}

export interface Images {
  ensure(image: string): Pull;
  /** Counts as pulled by an earlier task on this host. */
  seen(image: string): void;
}

export function createImages(deps: {
  runtime: Pick<Runtime, "hasImage" | "pull">;
  options: ImageOptions;
  random: () => number;
  log: Log;
}): Images {
  const { runtime, options, random, log } = deps;
  const pulledByTask = new Set<string>();
  const underWay = new Map<string, SharedPull>();

  /** Tasks that come together ask once. */
  const looks = new Map<string, Promise<boolean>>();
  function hasImage(image: string): Promise<boolean> {
    let look = looks.get(image);
    if (!look) {
      look = runtime.hasImage(image).finally(() => looks.delete(image));
      looks.set(image, look);
    }
    return look;
  }

  const needed: Record<PullBehavior, (image: string) => boolean | Promise<boolean>> = {
    default: () => true,
    always: () => true,
    once: async (image) => !(pulledByTask.has(image) && (await hasImage(image))),
    "prefer-cached": async (image) => !(await hasImage(image)),
  };

  async function pull(image: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await runtime.pull(image, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        // A cached copy serves at once; waiting for the registry would only delay the task.
        if (options.pullBehavior !== "always" && (await runtime.hasImage(image).catch(() => false))) {
          log.warn({ image, error: String(error) }, "pull failed, the cached image is used");
          return;
        }
        if (attempt >= options.pullAttempts || !isPassing(error)) throw error;
        log.warn({ image, attempt, error: String(error) }, "pull failed, trying again");
        await sleep(options.pullBackoffMs * 2 ** (attempt - 1) * (0.5 + random()), signal);
      }
    }
  }

  return {
    seen: (image) => {
      if (options.pullBehavior === "once") pulledByTask.add(image);
    },
    ensure(image) {
      const place = new Place();
      const wait = async (): Promise<void> => {
        const wants = needed[options.pullBehavior](image);
        if ((typeof wants === "boolean" ? wants : await wants) && !place.left) await shared(image).join(place);
      };
      return { done: wait(), abandon: () => place.leave() };
    },
  };

  function shared(image: string): SharedPull {
    const known = underWay.get(image);
    if (known && !known.aborted) return known;
    const made = new SharedPull((signal) => pull(image, signal));
    underWay.set(image, made);
    const over = () => {
      if (underWay.get(image) === made) underWay.delete(image);
    };
    made.done.then(() => {
      over();
      if (options.pullBehavior === "once") pulledByTask.add(image);
    }, over);
    return made;
  }
}

/** One waiter's place at a shared pull. */
class Place {
  left = false;
  onLeave: (() => void) | undefined;

  leave(): void {
    if (this.left) return;
    this.left = true;
    this.onLeave?.();
  }
}

/** One pull that several containers wait for; it is given up when the last of them is. */
class SharedPull {
  readonly done: Promise<void>;
  private readonly controller = new AbortController();
  private waiting = 0;

  constructor(run: (signal: AbortSignal) => Promise<void>) {
    this.done = run(this.controller.signal);
  }

  get aborted(): boolean {
    return this.controller.signal.aborted;
  }

  join(place: Place): Promise<void> {
    this.waiting += 1;
    return new Promise((resolve, reject) => {
      place.onLeave = () => {
        this.waiting -= 1;
        if (this.waiting === 0) this.controller.abort();
        reject(new RuntimeError("CannotPullContainerError", "the image is no longer wanted"));
      };
      const settled = () => {
        place.onLeave = undefined;
      };
      this.done.then(settled, settled);
      this.done.then(resolve, reject);
    });
  }
}

/** Errors that another try can mend: a busy or failing registry, or a network that does not answer now. */
const PASSING =
  /\b(429|50[0234])\b|toomanyrequests|too many requests|timeout|timed out|deadline exceeded|request canceled|connection re(set|fused)|no such host|unreachable|unexpected EOF|: EOF|temporary failure|server misbehaving|TLS handshake/i;
const FINAL = /not found|manifest unknown|denied|unauthorized|no basic auth|invalid reference|unsupported/i;

function isPassing(error: unknown): boolean {
  if (!(error instanceof RuntimeError)) return false;
  // `API error (500)` is Docker's own status around any failure of the registry: judge what it wraps.
  const text = error.message.replace(/API error \(500\): /, "");
  return PASSING.test(text) && !FINAL.test(text);
}
