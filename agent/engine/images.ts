// When an image is pulled (ECS_IMAGE_PULL_BEHAVIOR, spec/05 §4.3), and how often that is tried.
import { type Runtime, RuntimeError } from "../runtimes/runtime.js";
import type { Log } from "./log.js";
import { sleep } from "./sleep.js";

export type PullBehavior = "default" | "always" | "once" | "prefer-cached";

export interface ImageOptions {
  pullBehavior: PullBehavior;
  /** How often a pull is tried while the registry answers 429 or 5xx, or not at all. */
  pullAttempts: number;
  /** Wait before the second try; it doubles with each further one. */
  pullBackoffMs: number;
}

export interface Images {
  /** Resolves when a container can be created from the image. @throws RuntimeError CannotPullContainerError. */
  ensure(image: string, signal: AbortSignal): Promise<void>;
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

  const needed: Record<PullBehavior, (image: string) => boolean | Promise<boolean>> = {
    default: () => true,
    always: () => true,
    once: async (image) => !(pulledByTask.has(image) && (await runtime.hasImage(image))),
    "prefer-cached": async (image) => !(await runtime.hasImage(image)),
  };

  async function pull(image: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await runtime.pull(image, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        // A cached copy serves at once; waiting for the registry would only delay the task.
        if (options.pullBehavior !== "always" && (await runtime.hasImage(image).catch(() => false))) {
          log.warn("pull failed, the cached image is used", { image, error: String(error) });
          return;
        }
        if (attempt >= options.pullAttempts || !isPassing(error)) throw error;
        log.warn("pull failed, trying again", { image, attempt, error: String(error) });
        await sleep(options.pullBackoffMs * 2 ** (attempt - 1) * (0.5 + random()), signal);
      }
    }
  }

  return {
    seen: (image) => {
      if (options.pullBehavior === "once") pulledByTask.add(image);
    },
    async ensure(image, signal) {
      const wants = needed[options.pullBehavior](image);
      if (!(typeof wants === "boolean" ? wants : await wants)) return;
      let shared = underWay.get(image);
      if (!shared) {
        const made = new SharedPull((abort) => pull(image, abort));
        shared = made;
        underWay.set(image, made);
        void made.done.then(
          () => options.pullBehavior === "once" && pulledByTask.add(image),
          () => {},
        );
        void made.over.then(() => underWay.get(image) === made && underWay.delete(image));
      }
      await shared.join(signal);
    },
  };
}

/** One pull that several containers wait for; it is given up when the last of them is. */
class SharedPull {
  readonly done: Promise<void>;
  /** Settles when the pull has ended or been given up, so that nobody joins it any more. */
  readonly over: Promise<unknown>;
  private readonly controller = new AbortController();
  private waiting = 0;

  constructor(run: (signal: AbortSignal) => Promise<void>) {
    this.done = run(this.controller.signal);
    const aborted = new Promise((resolve) => this.controller.signal.addEventListener("abort", resolve, { once: true }));
    this.over = Promise.race([this.done.catch(() => {}), aborted]);
  }

  join(signal: AbortSignal): Promise<void> {
    this.waiting += 1;
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.waiting -= 1;
        if (this.waiting === 0) this.controller.abort();
        reject(new RuntimeError("CannotPullContainerError", "the image is no longer wanted"));
      };
      const settle = () => signal.removeEventListener("abort", leave);
      signal.addEventListener("abort", leave, { once: true });
      this.done.then(
        () => {
          settle();
          resolve();
        },
        (error: Error) => {
          settle();
          reject(error);
        },
      );
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
