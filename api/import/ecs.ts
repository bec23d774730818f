// Bare ECS JSON to objects: requests as the ECS API takes them, and what `aws ecs describe-*` prints.
import { clusterNameOf, objectName, parseRevisionReference, revisionName, serviceObjectName } from "../names.js";
import { isReservedTag } from "../tags.js";
import type { TaskSpec } from "../types.gen.js";
import { type Manifest, RESOLVE_ANNOTATION, REVISION_ANNOTATION } from "./result.js";

export type Path = readonly (string | number)[];
export type Json = Readonly<Record<string, unknown>>;

/** What became of one ECS document; `at` is the document's place in the text. */
export type Imported =
  | { kind: "object"; at: Path; manifest: Manifest; notes: string[]; restart?: true }
  | { kind: "run"; at: Path; spec: TaskSpec; count: number; notes: string[] }
  | { kind: "error"; at: Path; field?: string; message: string };

/** What only describe prints: where something is, how many there are, what became of it. */
const OUTPUT_ONLY = {
  taskDefinition:
    "taskDefinitionArn revision status requiresAttributes compatibilities registeredAt registeredBy deregisteredAt deleteRequestedAt",
  service:
    "serviceArn clusterArn roleArn status runningCount pendingCount deployments taskSets events createdAt createdBy platformFamily currentServiceDeployment currentServiceRevisions resourceManagementType",
  cluster:
    "clusterArn status registeredContainerInstancesCount runningTasksCount pendingTasksCount activeServicesCount statistics attachments attachmentsStatus",
} as const;
/** What is asked of one call, and is no state (decision A31). */
const REQUEST_ONLY = ["clientToken", "forceNewDeployment", "role"];
/** Lists that older documents carry as the one object in them. */
const LISTS = ["secretOptions", "mountPoints", "volumesFrom", "systemControls"];

const error = (at: Path, field: string | undefined, message: string): Imported => ({
  kind: "error",
  at,
  ...(field !== undefined && { field }),
  message,
});

/** @returns undefined if the document is none that ECS knows */
export function importEcs(document: Json): Imported[] | undefined {
  return fromWrapper(document) ?? fromBare(document);
}

/** `{"taskDefinition": {…}}`, `{"services": […], "failures": […]}`, and so on. */
function fromWrapper(document: Json): Imported[] | undefined {
  const { taskDefinition, tags, service, services, cluster, clusters, failures } = document;
  if (isJson(taskDefinition)) {
    const whole = { ...(Array.isArray(tags) && { tags }), ...taskDefinition };
    return [taskDefinitionObject(whole, ["taskDefinition"])];
  }
  if (isJson(service)) return [serviceObject(service, ["service"])];
  if (isJson(cluster)) return [clusterObject(cluster, ["cluster"])];
  const lists = [
    ["services", services, serviceObject],
    ["clusters", clusters, clusterObject],
  ] as const;
  for (const [name, list, toObject] of lists)
    if (Array.isArray(list))
      return [
        ...list.map((item: unknown, i) =>
          isJson(item) ? toObject(item, [name, i]) : error([name, i], `${name}[${i}]`, "must be an object"),
        ),
        ...failed(failures),
      ];
  const state = ["tasks", "containerInstances", "taskSets"].find((key) => Array.isArray(document[key]));
  if (state !== undefined && document.taskDefinition === undefined)
    return [error([state], state, `what describe prints of ${state} is state, and cannot be applied`)];
  return undefined;
}

const failed = (failures: unknown): Imported[] =>
  (Array.isArray(failures) ? failures : []).map((failure: unknown, i) => {
    const { arn, reason } = isJson(failure) ? failure : {};
    return error(["failures", i], `failures[${i}]`, `describe did not find ${String(arn)}: ${String(reason)}`);
  });

function fromBare(document: Json): Imported[] | undefined {
  const has = (key: string): boolean => document[key] !== undefined;
  if (has("containerDefinitions") || has("family")) return [taskDefinitionObject(document, [])];
  if (has("serviceName") || has("serviceArn")) return [serviceObject(document, [])];
  if (has("service"))
    return [
      error(
        ["service"],
        "service",
        "an update of a service cannot be applied: write the whole service, with serviceName",
      ),
    ];
  if (typeof document.taskDefinition === "string") return [taskRun(document)];
  if (has("clusterName") || has("clusterArn")) return [clusterObject(document, [])];
  return undefined;
}

function taskDefinitionObject(document: Json, at: Path): Imported {
  const { family, revision } = document;
  if (typeof family !== "string" || family === "") return missing(at, "family");
  const { spec, notes } = clean(document, OUTPUT_ONLY.taskDefinition, at);
  const annotations = typeof revision === "number" ? { [REVISION_ANNOTATION]: String(revision) } : undefined;
  return { kind: "object", at, manifest: manifest("TaskDefinition", objectName(family), spec, annotations), notes };
}

function serviceObject(document: Json, at: Path): Imported {
  const { serviceName, taskDefinition, forceNewDeployment } = document;
  if (typeof serviceName !== "string" || serviceName === "") return missing(at, "serviceName");
  const { spec, notes } = clean(document, OUTPUT_ONLY.service, at);
  const cluster = clusterNameOf(text(document.cluster) ?? text(document.clusterArn));
  const reference = typeof taskDefinition === "string" ? parseRevisionReference(taskDefinition) : undefined;
  const follows = reference !== undefined && reference.revision === undefined;
  const name = serviceObjectName(serviceName, cluster);
  const whole = { ...spec, cluster, ...(reference && { taskDefinition: written(reference) }) };
  return {
    kind: "object",
    at,
    manifest: manifest("Service", name, whole, follows ? { [RESOLVE_ANNOTATION]: "once" } : undefined),
    notes,
    ...(forceNewDeployment === true && { restart: true }),
  };
}

function clusterObject(document: Json, at: Path): Imported {
  const name = text(document.clusterName) ?? clusterNameOf(text(document.clusterArn));
  const { spec, notes } = clean(document, OUTPUT_ONLY.cluster, at);
  return { kind: "object", at, manifest: manifest("Cluster", objectName(name), { ...spec, clusterName: name }), notes };
}

/** A RunTask request, or a StartTask request for one machine. */
function taskRun(document: Json): Imported {
  const { count, containerInstances, cluster, taskDefinition, ...rest } = document;
  const machines: readonly unknown[] = Array.isArray(containerInstances) ? containerInstances : [];
  if (machines.length > 1)
    return error(["containerInstances"], "containerInstances", "name one machine: each task is bound to one");
  const { spec, notes } = clean(rest, "", []);
  const reference = parseRevisionReference(String(taskDefinition));
  if (!reference)
    return error(
      ["taskDefinition"],
      "taskDefinition",
      `${JSON.stringify(taskDefinition)} is no family, family:N or ARN`,
    );
  const [machine] = machines;
  const task = {
    ...spec,
    cluster: clusterNameOf(text(cluster)),
    taskDefinition: written(reference),
    ...(typeof machine === "string" && { containerInstance: clusterNameOf(machine) }),
  };
  return { kind: "run", at: [], spec: task as TaskSpec, count: typeof count === "number" ? count : 1, notes };
}

const missing = (at: Path, field: string): Imported =>
  error(at, [...at, field].join(".").replace(/\.(\d+)/g, "[$1]"), "is required: name it");

const written = ({ family, revision }: { family: string; revision?: number }): string =>
  revision === undefined ? family : revisionName(family, revision);

function manifest(kind: string, name: string, spec: Json, annotations?: Record<string, string>): Manifest {
  return { apiVersion: "davit.dev/v1", kind, metadata: { name, ...(annotations && { annotations }) }, spec };
}

/** The document without what only describe prints, and without what is asked of one call. */
function clean(document: Json, outputOnly: string, at: Path): { spec: Json; notes: string[] } {
  const printed = outputOnly.split(" ").filter((key) => document[key] !== undefined);
  const asked = REQUEST_ONLY.filter((key) => document[key] !== undefined);
  const reserved: string[] = [];
  const kept = Object.entries(document)
    .filter(([key]) => !printed.includes(key) && !asked.includes(key))
    .map(([key, value]): [string, unknown] => [key, key === "tags" ? withoutReserved(value, reserved) : value]);
  const wrapped: string[] = [];
  const spec = asLists(Object.fromEntries(kept), "", wrapped) as Json;
  const notes: string[] = [];
  if (at.length > 0 || printed.length > 0)
    notes.push(
      `took ${at.length > 0 ? `what stands under ${String(at[0])}` : "the document"}${printed.length > 0 ? `, without what describe alone prints: ${printed.join(", ")}` : ""}`,
    );
  if (asked.length > 0) notes.push(`used once or not at all, and not kept: ${asked.join(", ")}`);
  if (reserved.length > 0) notes.push(`left out tags that are the system's own: ${reserved.join(", ")}`);
  if (wrapped.length > 0) notes.push(`made a list of the one object in ${wrapped.join(", ")}`);
  return { spec, notes };
}

/** What AWS has tagged by itself is printed among the others, and nobody may set it. */
function withoutReserved(tags: unknown, left: string[]): unknown {
  if (!Array.isArray(tags)) return tags;
  return tags.filter((tag: unknown) => {
    const { key } = isJson(tag) ? tag : {};
    if (typeof key !== "string" || !isReservedTag({ key })) return true;
    left.push(key);
    return false;
  });
}

function asLists(value: unknown, field: string, wrapped: string[]): unknown {
  if (Array.isArray(value)) return value.map((item, i) => asLists(item, `${field}[${i}]`, wrapped));
  if (!isJson(value)) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
    const path = field === "" ? key : `${field}.${key}`;
    if (!LISTS.includes(key) || !isJson(inner)) return [key, asLists(inner, path, wrapped)];
    wrapped.push(path);
    return [key, [inner]];
  });
  return Object.fromEntries(entries);
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
