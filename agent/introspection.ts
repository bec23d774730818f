// The agent's own endpoint for programs on its machine: spec/04 §7, spec/05 §9, with ECS's spelling. It listens from
// the first session on, so that who polls it knows by its answer that the machine is registered.
import { createServer, type Server } from "node:http";
import type { Log } from "../api/log.js";
import type { TaskRecord } from "./engine/record.js";

/** ECS's port. */
const INTROSPECTION_PORT = 51678;

export interface View {
  cluster: string;
  containerInstanceArn: string;
  version: string;
  tasks: Iterable<Readonly<TaskRecord>>;
}

export interface Introspection {
  readonly port: number;
  close(): Promise<void>;
}

interface Task {
  Arn: string;
  DesiredStatus: string;
  KnownStatus: string;
  Family: string;
  Version: string;
  Containers: { DockerId: string; DockerName: string; Name: string }[];
}

/**
 * @param port 0: a free one. Whoever wants none does not call this.
 * @param host loopback only, unless somebody means it
 * @throws Error if the port cannot be had
 */
export async function createIntrospection(deps: {
  agent: { view(): View | undefined };
  port?: number;
  host?: string;
  log: Log;
}): Promise<Introspection> {
  const { agent, port = INTROSPECTION_PORT, host = "127.0.0.1", log } = deps;
  const server = createServer((request, response) => {
    const { status, body } = answer(agent.view(), request.method ?? "GET", request.url ?? "/");
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  });
  await listening(server, port, host);
  const address = server.address();
  const taken = typeof address === "object" && address ? address.port : port;
  log.info({ host, port: taken }, "introspection endpoint");
  return {
    port: taken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const listening = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new Error(
          `the introspection endpoint cannot listen on ${host}:${port} (${error.message}): choose another with --introspection-port, or 0 for none`,
        ),
      ),
    );
    server.listen(port, host, resolve);
  });

interface Answer {
  status: number;
  body: object;
}

const NOT_READY = { status: 503, body: { error: "The agent is not registered yet." } };

/** Pure. */
function answer(view: View | undefined, method: string, url: string): Answer {
  if (method !== "GET" && method !== "HEAD") return { status: 405, body: { error: "Only GET is understood here." } };
  const { pathname, searchParams } = new URL(url, "http://localhost");
  switch (pathname) {
    case "/":
      return { status: 200, body: { AvailableCommands: ["/v1/metadata", "/v1/tasks"] } };
    case "/v1/metadata": {
      if (!view) return NOT_READY;
      const { cluster, containerInstanceArn, version } = view;
      const body = {
        Cluster: cluster,
        ContainerInstanceArn: containerInstanceArn,
        Version: `Davit Agent - v${version}`,
      };
      return { status: 200, body };
    }
    case "/v1/tasks":
      return view ? tasks(view, searchParams) : NOT_READY;
    default:
      return { status: 404, body: { error: `${pathname} is not known; GET / names what is.` } };
  }
}

function tasks(view: View, query: URLSearchParams): Answer {
  const all = [...view.tasks].flatMap((record) => taskOf(record) ?? []);
  const arn = query.get("taskarn");
  const dockerId = query.get("dockerid");
  if (arn === null && dockerId === null) return { status: 200, body: { Tasks: all } };
  const found =
    arn !== null
      ? all.filter((task) => task.Arn === arn)
      : all.filter(({ Containers }) => dockerId && Containers.some(({ DockerId }) => DockerId.startsWith(dockerId)));
  const [one, another] = found;
  if (one && !another) return { status: 200, body: one };
  const what = arn ?? dockerId;
  const error = one ? `${what} fits more than one task; give more of it.` : `There is no task of ${what} here.`;
  return { status: one ? 400 : 404, body: { error } };
}

/** Undefined for what is not assigned: it is on its way out, and nobody's. */
function taskOf({ assignment, desired, state, containers, resolved }: Readonly<TaskRecord>): Task | undefined {
  if (!assignment || desired === "ABSENT" || desired === "LET_GO") return undefined;
  const [family = "", version = ""] = assignment.revision.split(":");
  return {
    Arn: assignment.taskArn,
    DesiredStatus: assignment.desiredStatus,
    KnownStatus: state,
    Family: resolved?.family ?? family,
    Version: version,
    Containers: [...containers.values()].flatMap(({ name, observed }) =>
      observed ? [{ DockerId: observed.id, DockerName: observed.runtimeName, Name: name }] : [],
    ),
  };
}
