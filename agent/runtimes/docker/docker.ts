// The Docker Engine as a runtime. It sees and touches only containers that carry this agent's label.
import { statfs } from "node:fs/promises";
import { isOrphan, LABELS } from "../labels.js";
import { type Capacity, type Runtime, type RuntimeContainer, RuntimeError } from "../runtime.js";
import type {
  ContainerAnswer,
  ContainerSummary,
  EventMessage,
  ImageAnswer,
  InfoAnswer,
  StatsAnswer,
  VersionAnswer,
} from "./api.js";
import { containerConfig } from "./container-config.js";
import { containerOf } from "./container-state.js";
import { createDockerHttp, DockerApiError, socketPath } from "./http.js";
import { createLimiter } from "./limiter.js";
import { splitReference } from "./reference.js";
import { framedLines, jsonLines, terminalLines } from "./streams.js";
import { createUsageMeter } from "./usage.js";

export interface DockerOptions {
  /** A pull that says nothing for so long has failed: ECS_IMAGE_PULL_INACTIVITY_TIMEOUT. */
  pullInactivityMs: number;
  /** Creations and starts at once; the others wait here instead of in dockerd, where their time limits would run.
   *  4, 8 and 16 could not be told apart on two busy cores: 8 is what the benchmark's reference uses, too. */
  parallel: number;
  /** Time limits of calls; a stop's comes on top of its grace time. */
  readTimeoutMs: number;
  writeTimeoutMs: number;
}

const DOCKER_DEFAULTS: DockerOptions = {
  pullInactivityMs: 60_000,
  parallel: 8,
  readTimeoutMs: 20_000,
  writeTimeoutMs: 60_000,
};

/** Remote API versions that ECS registers as capabilities, one attribute each. */
const FIRST_CAPABILITY = 17;

/** Changes that the engine did not make itself; exec events of health checks would be many. */
const EVENTS = ["die", "oom", "destroy", "health_status", "start", "pause", "unpause"];

export function createDockerRuntime(deps: {
  /** The agent's instance id: what it labels and looks for. */
  agent: string;
  /** `unix://…`; default as Docker's. @throws Error at once for anything else. */
  dockerHost?: string;
  options?: Partial<DockerOptions>;
}): Runtime {
  const options: DockerOptions = { ...DOCKER_DEFAULTS, ...deps.options };
  const { readTimeoutMs: readMs, writeTimeoutMs: writeMs } = options;
  const http = createDockerHttp(socketPath(deps.dockerHost));
  const limiter = createLimiter(options.parallel);
  const ownLabel = `${LABELS.agent}=${deps.agent}`;
  /** Repository digests by image id: immutable, and asked once. */
  const digests = new Map<string, Promise<string | undefined>>();
  /** Started here, their events still to come: who starts a container looks at it anyway. */
  const ownStarts = new Set<string>();
  let version: Promise<string> | undefined;

  /** The Engine's own version, so that any Engine from 1.41 on is served. */
  async function v(path: string): Promise<string> {
    version ??= http
      .call<VersionAnswer>({ method: "GET", path: "/version", timeoutMs: readMs })
      .then(({ ApiVersion }) => ApiVersion);
    try {
      return `/v${await version}${path}`;
    } catch (error) {
      version = undefined;
      throw error;
    }
  }

  async function get<T>(path: string, query?: Record<string, string>): Promise<T> {
    return http.call<T>({ method: "GET", path: await v(path), timeoutMs: readMs, ...(query && { query }) });
  }

  async function found<T>(answer: Promise<T>): Promise<T | undefined> {
    return answer.catch((error) => {
      if (isStatus(error, 404)) return undefined;
      throw error;
    });
  }

  const image = (name: string) => found(get<ImageAnswer>(`/images/${name}/json`));

  function digestOf(imageId: string): Promise<string | undefined> {
    let digest = digests.get(imageId);
    if (!digest) {
      digest = image(imageId).then((answer) => answer?.RepoDigests?.[0]?.split("@")[1]);
      digests.set(imageId, digest);
      digest.catch(() => digests.delete(imageId));
    }
    return digest;
  }

  async function inspect(id: string): Promise<RuntimeContainer | undefined> {
    const answer = await found(get<ContainerAnswer>(`/containers/${id}/json`));
    return answer && containerOf(answer, await digestOf(answer.Image));
  }

  async function summaries(labels: string[] = []): Promise<(ContainerSummary & { name: string })[]> {
    const filters = JSON.stringify({ label: [ownLabel, ...labels] });
    const all = await get<ContainerSummary[]>("/containers/json", { all: "true", filters });
    return all.map((summary) => ({ ...summary, name: summary.Names?.[0]?.slice(1) ?? "" }));
  }

  async function list(labels: string[] = []): Promise<RuntimeContainer[]> {
    const ours = (await summaries(labels)).filter(({ name }) => !isOrphan(name));
    const few = createLimiter(options.parallel);
    const all = await Promise.all(ours.map(({ Id }) => few.run(() => inspect(Id))));
    return all.filter((container) => container !== undefined && !isOrphan(container.runtimeName)) as RuntimeContainer[];
  }

  const statsLimiter = createLimiter(options.parallel);
  const meter = createUsageMeter({
    read: (id) =>
      statsLimiter.run(() =>
        found(get<StatsAnswer>(`/containers/${id}/stats`, { stream: "false", "one-shot": "true" })),
      ),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });

  return {
    async capacity(): Promise<Capacity> {
      const info = await get<InfoAnswer>("/info");
      const minor = Number((await v("")).split(".")[1]);
      const apis = Array.from({ length: Math.max(0, minor - FIRST_CAPABILITY + 1) }, (_, at) => ({
        name: `com.amazonaws.ecs.capability.docker-remote-api.1.${FIRST_CAPABILITY + at}`,
      }));
      return {
        cpuUnits: info.NCPU * 1024,
        memoryMiB: Math.floor(info.MemTotal / 1_048_576),
        version: info.ServerVersion,
        ...(info.KernelVersion && { kernelVersion: info.KernelVersion }),
        attributes: [{ name: "com.amazonaws.ecs.capability.privileged-container" }, ...apis],
      };
    },
    list: () => list(),
    async orphans() {
      const gone = (await summaries()).filter(({ name }) => isOrphan(name));
      return gone.map(({ Id, name, Labels }) => ({ id: Id, runtimeName: name, task: Labels?.[LABELS.task] ?? "" }));
    },
    inspect,
    hasImage: async (name) => (await image(name)) !== undefined,

    async pull(name, signal) {
      const { name: fromImage, tag } = splitReference(name);
      const stalled = new AbortController();
      const inactive = () =>
        stalled.abort(
          new RuntimeError("CannotPullContainerError", `no progress for ${options.pullInactivityMs / 1000} s`),
        );
      let timer = setTimeout(inactive, options.pullInactivityMs);
      try {
        const path = await v("/images/create");
        const call = { method: "POST" as const, path, query: { fromImage, tag }, timeoutMs: options.pullInactivityMs };
        const stream = await http.stream(call, AbortSignal.any([signal, stalled.signal]));
        for await (const { error } of jsonLines<{ error?: string }>(stream)) {
          clearTimeout(timer);
          timer = setTimeout(inactive, options.pullInactivityMs);
          if (error !== undefined) throw new RuntimeError("CannotPullContainerError", error);
        }
      } catch (error) {
        if (stalled.signal.aborted) throw stalled.signal.reason;
        throw named("CannotPullContainerError", error);
      } finally {
        clearTimeout(timer);
      }
    },

    create: (spec) =>
      limiter.run(async () => {
        const body = containerConfig(spec);
        try {
          const path = await v("/containers/create");
          const query = { name: spec.runtimeName };
          const { Id } = await http.call<{ Id: string }>({ method: "POST", path, query, body, timeoutMs: writeMs });
          return Id;
        } catch (error) {
          // The name follows from the task: what has it is this container, made by a call whose answer was lost.
          const twins = isStatus(error, 409)
            ? await list([`${LABELS.task}=${spec.task}`, `${LABELS.container}=${spec.definition.name}`])
            : [];
          if (twins[0]) return twins[0].id;
          throw named("CannotCreateContainerError", error);
        }
      }),

    // Before further creations: the first of many tasks then runs early, and the Engine's disk and processors both
    // have work.
    start: (id) =>
      limiter.runNext(async () => {
        ownStarts.add(id);
        try {
          await http.call({ method: "POST", path: await v(`/containers/${id}/start`), timeoutMs: writeMs });
        } catch (error) {
          ownStarts.delete(id);
          throw named("CannotStartContainerError", error);
        }
      }),

    async stop(id, graceMs) {
      const query = { t: String(Math.ceil(graceMs / 1000)) };
      const path = await v(`/containers/${id}/stop`);
      await found(http.call({ method: "POST", path, query, timeoutMs: graceMs + writeMs }));
    },

    async remove(id) {
      const path = await v(`/containers/${id}`);
      try {
        await found(http.call({ method: "DELETE", path, query: { v: "true" }, timeoutMs: writeMs }));
      } catch (error) {
        // Somebody is already removing it.
        if (!isStatus(error, 409) || !String(error).includes("already in progress")) throw error;
      }
    },

    async rename(id, runtimeName) {
      const path = await v(`/containers/${id}/rename`);
      try {
        await found(http.call({ method: "POST", path, query: { name: runtimeName }, timeoutMs: writeMs }));
      } catch (error) {
        if ((await inspect(id))?.runtimeName !== runtimeName) throw error;
      }
    },

    usage: (ids) => meter.usage(ids),

    async disk() {
      const { DockerRootDir: path } = await get<InfoAnswer>("/info");
      // An agent in a container of its own may not see the Engine's folder.
      const seen = path === undefined ? undefined : await statfs(path).catch(() => undefined);
      return path === undefined || seen === undefined
        ? undefined
        : { path, totalBytes: seen.blocks * seen.bsize, freeBytes: seen.bavail * seen.bsize };
    },

    async *changes(signal) {
      const filters = JSON.stringify({ type: ["container"], label: [ownLabel], event: EVENTS });
      const call = { method: "GET" as const, query: { filters }, timeoutMs: readMs };
      try {
        const stream = await http.stream({ ...call, path: await v("/events") }, signal);
        // What happened before the stream was open is not in it.
        ownStarts.clear();
        yield "resync";
        for await (const { Action, Actor } of jsonLines<EventMessage>(stream)) {
          // A start of what ran already brings no event: the next one is then somebody else's.
          const ownStart = (Action === "start" || Action === "die") && ownStarts.delete(Actor.ID);
          if (!ownStart || Action === "die") yield { id: Actor.ID };
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        // The Engine that comes back may be another version.
        version = undefined;
      }
    },

    async *logs(id, { follow, tail, sinceMs, signal }) {
      const { Config } = await get<ContainerAnswer>(`/containers/${id}/json`);
      const query = {
        stdout: "true",
        stderr: "true",
        timestamps: "true",
        follow: String(follow),
        ...(tail !== undefined && { tail: String(tail) }),
        ...(sinceMs !== undefined && { since: (sinceMs / 1000).toFixed(3) }),
      };
      try {
        const path = await v(`/containers/${id}/logs`);
        const stream = await http.stream({ method: "GET", path, query, timeoutMs: readMs }, signal);
        yield* Config.Tty ? terminalLines(stream) : framedLines(stream);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },

    async close() {
      http.close();
    },
  };
}

const isStatus = (error: unknown, status: number): boolean =>
  error instanceof DockerApiError && error.status === status;

/** What the Engine refused gets ECS's name; a lost answer stays what it is, for it says nothing about the outcome. */
const named = (name: string, error: unknown): unknown =>
  error instanceof DockerApiError ? new RuntimeError(name, error.message) : error;
