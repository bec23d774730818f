// Does the steps of a plan, one at a time per container, and notes in the records what came of them.

import type { Log } from "../../api/log.js";
import type { Assignment } from "../../bus/messages.js";
import { type Runtime, RuntimeError } from "../runtimes/runtime.js";
import { containerSpec, type ResolvedTask } from "./definition.js";
import type { Findings } from "./findings.js";
import type { Images } from "./images.js";
import type { Step, StepKind } from "./plan.js";
import type { Busy, ContainerRecord, TaskRecord } from "./record.js";

export interface StepDeps {
  agent: string;
  runtime: Runtime;
  images: Images;
  options: { startTimeoutMs: number; retryMs: number; maxRetryMs: number };
  now: () => number;
  random: () => number;
  log: Log;
  findings: Pick<Findings, "observe" | "vanished" | "removed">;
  /** Look at the task again. */
  again(task: TaskRecord): void;
}

type Executors = {
  [K in Exclude<StepKind, "abandonPull">]: (
    task: TaskRecord,
    container: ContainerRecord,
    step: Step<K>,
  ) => Promise<void>;
};

/** Errors of a step that no further try can mend. */
const FINAL = new Set([
  "CannotPullContainerError",
  "CannotCreateContainerError",
  "CannotStartContainerError",
  "ResourceInitializationError",
]);

export function createSteps(deps: StepDeps): (task: TaskRecord, step: Step) => void {
  const { runtime, images, findings, now, log } = deps;

  const executors: Executors = {
    async pull(task, container) {
      let abandoned = false;
      const pull = images.ensure(container.image);
      container.abandonPull = () => {
        abandoned = true;
        pull.abandon();
      };
      task.pullStartedAtMs ??= now();
      try {
        await pull.done;
        container.pulled = true;
        task.pullStoppedAtMs = now();
      } catch (error) {
        if (!abandoned) throw error;
      } finally {
        container.abandonPull = undefined;
      }
    },
    async create(task, container) {
      const { assignment, resolved, definition } = definitionOf(task, container);
      const spec = containerSpec(deps.agent, assignment, resolved, definition);
      const id = await runtime.create(spec);
      findings.observe(task, container, {
        id,
        task: task.task,
        name: container.name,
        runtimeName: spec.runtimeName,
        labels: spec.labels,
        image: container.image,
        lastStatus: "CREATED",
        health: "UNKNOWN",
        networkBindings: [],
      });
    },
    async start(task, container, { id }) {
      try {
        await runtime.start(id);
      } catch (error) {
        // An error does not say that it does not run.
        container.uncertain = true;
        if (!isFinal(error)) throw error;
        await lookAt(task, container, id);
        if (container.observed?.lastStatus === "RUNNING") return;
        throw error;
      }
      container.uncertain = true;
      await lookAt(task, container, id);
    },
    async stop(task, container, { id, graceMs }) {
      await runtime.stop(id, graceMs);
      await lookAt(task, container, id);
      if (container.observed?.lastStatus === "RUNNING") throw new Error("still running after the stop");
    },
    async remove(_task, container, { id }) {
      await runtime.remove(id);
      findings.removed(container);
    },
    async rename(_task, container, { id, runtimeName }) {
      await runtime.rename(id, runtimeName);
      if (container.observed) container.observed = { ...container.observed, runtimeName };
    },
    async look(task, container) {
      const id = container.observed?.id;
      if (id !== undefined) return lookAt(task, container, id);
      const found = (await runtime.list()).find((seen) => seen.task === task.task && seen.name === container.name);
      container.uncertain = false;
      if (found) findings.observe(task, container, found);
    },
  };

  async function lookAt(task: TaskRecord, container: ContainerRecord, id: string): Promise<void> {
    const seen = await runtime.inspect(id);
    container.uncertain = false;
    if (seen) findings.observe(task, container, seen);
    else findings.vanished(container);
  }

  function failed(container: ContainerRecord, kind: Busy, error: unknown): void {
    const text = error instanceof RuntimeError ? `${error.name}: ${error.message}` : String(error);
    const launching = kind === "pull" || kind === "create" || kind === "start";
    if (launching && isFinal(error)) {
      container.failure = text;
      return;
    }
    if (kind === "create" || kind === "start") container.uncertain = true;
    container.failingSinceMs ??= now();
    container.attempts += 1;
    container.trouble = text;
    const waitMs = Math.min(deps.options.retryMs * 2 ** (container.attempts - 1), deps.options.maxRetryMs);
    container.retryAtMs = now() + waitMs * (0.5 + deps.random() / 2);
    log.warn({ step: kind, container: container.name, error: text, waitMs }, "step failed, trying again");
    if (launching && now() - container.failingSinceMs > deps.options.startTimeoutMs)
      container.failure = `DockerTimeoutError: Could not transition to ${REACHED[kind]}; timed out after waiting ${minutes(deps.options.startTimeoutMs)}`;
  }

  async function execute<K extends keyof Executors>(
    task: TaskRecord,
    container: ContainerRecord,
    kind: K,
    step: Step<K>,
  ): Promise<void> {
    container.busy = kind;
    try {
      await executors[kind](task, container, step);
      // A look between two tries does not make the next one the first.
      if (kind !== "look") {
        container.attempts = 0;
        container.retryAtMs = 0;
        container.failingSinceMs = undefined;
        container.trouble = undefined;
      }
    } catch (error) {
      failed(container, kind, error);
    }
    // What happened meanwhile may be newer than what the step saw.
    const { observed } = container;
    if (container.dirty && observed && !container.uncertain) {
      container.busy = "look";
      container.dirty = false;
      await lookAt(task, container, observed.id).catch(() => {
        container.uncertain = true;
      });
    }
    container.dirty = false;
    container.busy = undefined;
    deps.again(task);
  }

  return (task, step) => {
    const container = task.containers.get(step.container);
    if (!container) return;
    if (step.kind === "abandonPull") container.abandonPull?.();
    else void execute(task, container, step.kind, step as never);
  };
}

const REACHED = { pull: "pulled", create: "created", start: "started" };
const isFinal = (error: unknown): boolean => error instanceof RuntimeError && FINAL.has(error.name);
const minutes = (ms: number): string => `${Math.floor(ms / 60_000)}m${Math.round((ms % 60_000) / 1000)}s`;

function definitionOf(
  task: TaskRecord,
  container: ContainerRecord,
): { assignment: Assignment; resolved: ResolvedTask; definition: ResolvedTask["containers"][number] } {
  const { assignment, resolved } = task;
  const definition = resolved?.containers.find(({ name }) => name === container.name);
  if (!assignment || !resolved || !definition) throw new Error(`no definition of container ${container.name}`);
  return { assignment, resolved, definition };
}
