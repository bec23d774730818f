// An agent on the real Engine, under an instance id of its own, and raw looks at what it made there.
import { randomBytes } from "node:crypto";
import { type Agent, createAgent } from "../../../agent/agent.js";
import type { AgentOptions } from "../../../agent/options.js";
import type { ContainerAnswer } from "../../../agent/runtimes/docker/api.js";
import { createDockerRuntime } from "../../../agent/runtimes/docker/docker.js";
import { createDockerHttp, socketPath } from "../../../agent/runtimes/docker/http.js";
import type { Runtime } from "../../../agent/runtimes/runtime.js";
import type { ContainerDefinition, TaskDefinitionRevisionSpec } from "../../../api/types.gen.js";
import type { ContainerReport, TaskReport } from "../../../bus/messages.js";
import type { AgentBus } from "../../../bus/transport.js";
import { randomFrom } from "../../support/soak-count.js";
import { eventually } from "../../support/wait.js";
import { assignment, hex, quiet, revision } from "./builders.js";
import { type Control, createControl } from "./control.js";

export interface DockerBench {
  control: Control;
  readonly instance: string;
  runtime(): Runtime;
  agent(): Agent;
  /** What the agent answers on the bus. */
  handlers(): Parameters<AgentBus["serve"]>[0];
  /** @param dockerHost where the agent finds the Engine, if not where Docker itself does */
  start(options?: Partial<AgentOptions>, dockerHost?: string): Promise<void>;
  /** As kill -9: the agent is gone without a word, containers stay. */
  kill(): Promise<void>;
  /** Assigns a task of these containers; gives its id. */
  run(name: string, containers: ContainerDefinition[], change?: Partial<TaskDefinitionRevisionSpec>): string;
  /** Waits for a report; fails at once when the task is STOPPED instead. */
  reported(task: string, state: TaskReport["state"]): Promise<TaskReport>;
  /** The Engine's own word about a container of a task. */
  raw(task: string, name?: string): Promise<RawContainer>;
  /** Removes every container of this instance, whatever the agent did. */
  close(): Promise<void>;
}

export interface RawContainer extends ContainerAnswer {
  Name: string;
  Config: ContainerAnswer["Config"] & {
    Env: string[];
    Cmd: string[] | null;
    Entrypoint: string[] | null;
    WorkingDir: string;
    Healthcheck?: { Test: string[]; Interval?: number; Timeout?: number; Retries?: number; StartPeriod?: number };
  };
  HostConfig: {
    CpuShares: number;
    Memory: number;
    MemoryReservation: number;
    NetworkMode: string;
    LogConfig: { Type: string; Config: Record<string, string> };
  };
}

export const first = (report: TaskReport): ContainerReport => {
  const [container] = report.containers;
  if (!container) throw new Error("the report names no container");
  return container;
};

export function dockerBench(): DockerBench {
  const instance = randomBytes(16).toString("hex");
  const control = createControl();
  const engine = createDockerHttp(socketPath(process.env.DOCKER_HOST));
  const call = <T>(method: "GET" | "DELETE", path: string, query: Record<string, string> = {}): Promise<T> =>
    engine.call<T>({ method, path: `/v1.41${path}`, query, timeoutMs: 30_000 });
  const own = (): Promise<{ Id: string; Labels: Record<string, string> }[]> =>
    call("GET", "/containers/json", {
      all: "true",
      filters: JSON.stringify({ label: [`davit.dev/agent=${instance}`] }),
    });
  let agent: Agent | undefined;
  let runtime: Runtime | undefined;
  let bus = control.connect();
  const made = <T>(thing: T | undefined): T => {
    if (!thing) throw new Error("not started");
    return thing;
  };

  async function kill(): Promise<void> {
    await bus.close();
    await agent?.stop();
    await runtime?.close();
  }

  return {
    control,
    instance,
    runtime: () => made(runtime),
    agent: () => made(agent),
    handlers: () => made(bus.handlers()),
    kill,
    async start(options = {}, dockerHost) {
      bus = control.connect();
      runtime = createDockerRuntime({ agent: instance, ...(dockerHost && { dockerHost }) });
      agent = createAgent({
        instance,
        namespace: "default",
        cluster: "default",
        bus,
        runtime,
        options: { pullBehavior: "prefer-cached", cleanupWaitMs: 0, ...options },
        now: Date.now,
        random: randomFrom(1),
        log: quiet,
      });
      await agent.start();
    },
    run(name, containers, change = {}) {
      control.revisions = {
        ...control.revisions,
        [`default/${name}:1`]: revision(containers, { family: name, ...change }),
      };
      // A task id of this bench's own: the Engine is shared.
      const task = hex(`${instance}${name}`);
      control.assign(assignment(name, { task, revision: `${name}:1` }));
      return task;
    },
    async reported(task, state) {
      return eventually(`${state}`, () => {
        const report = control.tasks.get(task)?.report;
        if (report?.state === state) return report;
        if (report?.state === "STOPPED") throw new Error(`STOPPED instead: ${JSON.stringify(report)}`);
        return undefined;
      });
    },
    async raw(task, name = "web") {
      const found = (await own()).find(
        ({ Labels }) => Labels["davit.dev/task"] === task && Labels["davit.dev/container"] === name,
      );
      if (!found) throw new Error(`no container ${name} of task ${task}`);
      return call<RawContainer>("GET", `/containers/${found.Id}/json`);
    },
    async close() {
      await kill();
      await eventually("every container is removed", async () => {
        const left = await own();
        // A removal that the agent began may be under way: ask again until the list is empty.
        for (const { Id } of left)
          await call("DELETE", `/containers/${Id}`, { force: "true", v: "true" }).catch(() => {});
        return left.length === 0;
      });
      engine.close();
    },
  };
}
