// What this machine is like just now, for `davit top` and `davit doctor`.
import type { ProbeAnswer } from "../bus/messages.js";
import type { Engine } from "./engine/engine.js";
import { runningContainers, strays, troubles } from "./engine/views.js";
import type { AgentOptions } from "./options.js";
import type { Runtime } from "./runtimes/runtime.js";

/** Whoever asks waits a few seconds: a runtime that hangs is a problem to tell of, not to wait for. */
const PATIENCE_MS = 3_500;

export function createProbe(deps: {
  engine: Pick<Engine, "records" | "problems">;
  runtime: Pick<Runtime, "usage" | "disk" | "orphans">;
  options: Pick<AgentOptions, "agentVersion" | "hangingMs" | "problems">;
  now: () => number;
  /** Of the rest of the agent. */
  problems: () => string[];
  /** How long the runtime may take. @default 3.5 s */
  patienceMs?: number;
}): () => Promise<ProbeAnswer> {
  const { engine, runtime, options, now, patienceMs = PATIENCE_MS } = deps;

  return async () => {
    const problems = new Set([...options.problems, ...deps.problems()]);
    async function ask<T>(what: string, answer: Promise<T>): Promise<T | undefined> {
      try {
        return await inTime(answer, patienceMs);
      } catch (error) {
        problems.add(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      }
    }
    const running = runningContainers(engine.records());
    const [usage, disk, orphans] = await Promise.all([
      ask("what containers use is not known", runtime.usage([...running.values()].flat())),
      ask("the disk is not known", runtime.disk()),
      ask("orphaned containers are not known", runtime.orphans()),
    ]);
    for (const problem of [...engine.problems(), ...troubles(engine.records(), now(), options.hangingMs)])
      problems.add(problem);
    return {
      type: "davit.v1.ProbeAnswer",
      agentVersion: options.agentVersion,
      nowMs: now(),
      usage: usage ? usageByTask(running, usage) : [],
      ...(disk && { disk }),
      orphans: [
        ...strays(engine.records(), now(), options.hangingMs),
        ...(orphans ?? []).map(({ id, runtimeName, task }) => ({ id, name: runtimeName, task, deliberate: true })),
      ],
      problems: [...problems],
    };
  };
}

function inTime<T>(answer: Promise<T>, patienceMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error(`the runtime did not answer within ${patienceMs / 1000} s`));
    const timer = setTimeout(late, patienceMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function usageByTask(
  running: ReadonlyMap<string, string[]>,
  usage: Awaited<ReturnType<Runtime["usage"]>>,
): ProbeAnswer["usage"] {
  return [...running].map(([task, ids]) => {
    const each = ids.flatMap((id) => usage.get(id) ?? []);
    return {
      task,
      cpuUnits: each.reduce((sum, { cpuUnits }) => sum + cpuUnits, 0),
      memoryMiB: each.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0),
    };
  });
}
