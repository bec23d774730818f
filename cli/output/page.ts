// One object on one page, for people: what it is, how it is doing, what happened.
import { ecsId } from "../../api/arn.js";
import type { ApiObject, Condition } from "../../api/meta.js";
import { tagsOf } from "../../api/tags.js";
import type {
  Cluster,
  ContainerInstance,
  Service,
  Task,
  TaskDefinition,
  TaskDefinitionRevision,
} from "../../api/types.gen.js";
import { type ClusterContents, clusterPage } from "./cluster-page.js";
import { age, columns } from "./columns.js";
import { type MachineContents, machinePage } from "./machine-page.js";

export type Section = readonly [title: string, body: string];
export type Field = readonly [name: string, value: unknown];

/** What an object holds that it does not say itself. */
export interface Contents {
  cluster?: ClusterContents;
  machine?: MachineContents;
}

export function page(object: ApiObject, nowMs: number, contents: Contents = {}): string {
  const { metadata } = object;
  const head: Field[] = [
    ["Name", metadata.name],
    ["Namespace", metadata.namespace],
    ["Kind", object.kind],
    ["Labels", pairs(metadata.labels)],
    ["Tags", pairs(Object.fromEntries((tagsOf(object) ?? []).map(({ key, value = "" }) => [key, value])))],
    ["Annotations", pairs(shownAnnotations(metadata.annotations))],
    ["Created", `${metadata.creationTimestamp} (${age(metadata.creationTimestamp, nowMs)} ago)`],
    [
      "Deleted",
      metadata.deletionTimestamp &&
        `${metadata.deletionTimestamp}, waiting for ${metadata.finalizers?.join(", ") ?? "nothing"}`,
    ],
    ["Owner", metadata.ownerReferences?.map(({ kind, name }) => `${kind}/${name}`).join(", ")],
  ];
  const { fields, sections } = kindPage(object, nowMs, contents);
  const conditions = (object.status as { conditions?: Condition[] } | undefined)?.conditions;
  const all: Section[] = [...sections, ["Conditions", conditionTable(conditions, nowMs)]];
  const shown = all.filter(([, body]) => body !== "");
  return [fieldList([...head, ...fields]), ...shown.map(([title, body]) => `${title}:\n${indent(body)}`)].join("\n");
}

/** Machines' bookkeeping says nothing to a person. */
const shownAnnotations = (annotations: Record<string, string> | undefined) =>
  Object.fromEntries(
    Object.entries(annotations ?? {}).filter(
      ([key]) => !key.startsWith("kubectl.kubernetes.io/") && key !== "davit.dev/batch",
    ),
  );

export interface KindPage {
  fields: Field[];
  sections: Section[];
}

function kindPage(object: ApiObject, nowMs: number, contents: Contents): KindPage {
  switch (object.kind) {
    case "Cluster":
      return clusterPage(object as Cluster, contents.cluster);
    case "Service":
      return servicePage(object as Service, nowMs);
    case "Task":
      return taskPage(object as Task);
    case "ContainerInstance":
      return machinePage(object as ContainerInstance, nowMs, contents.machine);
    case "TaskDefinition":
    case "TaskDefinitionRevision":
      return definitionPage(object as TaskDefinition | TaskDefinitionRevision);
    default:
      return {
        fields: [],
        sections: [
          ["Spec", tree(object.spec)],
          ["Status", tree(withoutConditions(object.status))],
        ],
      };
  }
}

function servicePage({ spec, status = {} }: Service, nowMs: number): KindPage {
  const deployments = (status.deployments ?? []).map((one) => [
    one.status ?? "",
    one.taskDefinition ?? "",
    `${one.runningCount ?? 0}/${one.desiredCount ?? 0}`,
    String(one.pendingCount ?? 0),
    String(one.failedTasks ?? 0),
    one.rolloutState ?? "",
    age(one.createdAt, nowMs),
    one.rolloutStateReason ?? "",
  ]);
  const headings = ["ROLE", "REVISION", "RUNNING", "PENDING", "FAILED", "ROLLOUT", "AGE", "REASON"];
  const happened = (status.events ?? [])
    .slice(0, 10)
    .map(({ createdAt, message }) => [`${age(createdAt, nowMs)} ago`, message ?? ""]);
  return {
    fields: [
      ["ARN", status.serviceArn],
      [
        "Task definition",
        `${spec.taskDefinition ?? ""}${status.taskDefinition ? ` (now ${status.taskDefinition})` : ""}`,
      ],
      [
        "Tasks",
        `${status.desiredCount ?? 0} wanted, ${status.runningCount ?? 0} running, ${status.healthyCount ?? 0} healthy, ${status.pendingCount ?? 0} pending`,
      ],
      ["Rejected", status.rejectedRevisions?.join(", ")],
    ],
    sections: [
      ["Deployments", deployments.length > 0 ? columns(headings, deployments) : ""],
      ["Events", happened.length > 0 ? columns(["WHEN", "WHAT"], happened) : ""],
    ],
  };
}

function taskPage({ spec, status = {}, metadata }: Task): KindPage {
  const containers = (status.containers ?? []).map((one) => [
    one.name ?? "",
    one.image ?? "",
    one.lastStatus ?? "",
    one.healthStatus ?? "",
    one.exitCode === undefined ? "" : String(one.exitCode),
    (one.networkBindings ?? []).map((port) => `${port.hostPort}→${port.containerPort}/${port.protocol}`).join(","),
    (one.runtimeId ?? "").slice(0, 12),
    one.reason ?? "",
  ]);
  const headings = ["CONTAINER", "IMAGE", "STATE", "HEALTH", "EXIT", "PORTS", "ID", "REASON"];
  return {
    fields: [
      ["Task id", ecsId(metadata.uid)],
      ["ARN", status.taskArn],
      ["State", `${status.lastStatus ?? "new"} (wanted ${status.desiredStatus ?? spec.desiredStatus ?? "RUNNING"})`],
      ["Health", status.healthStatus],
      ["Task definition", status.taskDefinition ?? spec.taskDefinition],
      ["Group", status.group],
      ["Machine", status.host ?? spec.containerInstance],
      ["Connectivity", status.connectivity],
      ["Started", status.startedAt],
      ["Stopped", status.stoppedAt],
      ["Stop code", status.stopCode],
      ["Stopped because", status.stoppedReason],
    ],
    sections: [["Containers", containers.length > 0 ? columns(headings, containers) : ""]],
  };
}

function definitionPage(object: TaskDefinition | TaskDefinitionRevision): KindPage {
  const { containerDefinitions, ...rest } = object.spec;
  return {
    fields: [
      ["ARN", object.status?.taskDefinitionArn],
      ["Latest revision", (object.status as TaskDefinition["status"])?.latestRevision],
    ],
    sections: [
      ["Definition", tree(rest)],
      ["Containers", tree(containerDefinitions)],
    ],
  };
}

const withoutConditions = (status: unknown): unknown => {
  const { conditions: _, ...rest } = (status ?? {}) as Record<string, unknown>;
  return rest;
};

function conditionTable(conditions: Condition[] | undefined, nowMs: number): string {
  if (!conditions?.length) return "";
  const rows = conditions.map((one) => [
    one.type,
    one.status,
    one.reason,
    `${age(one.lastTransitionTime, nowMs)} ago`,
    one.message,
  ]);
  return columns(["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"], rows);
}

function fieldList(fields: readonly Field[]): string {
  const shown = fields.filter(([, value]) => value !== undefined && value !== "" && value !== null);
  const width = Math.max(...shown.map(([name]) => name.length)) + 1;
  return shown.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${String(value)}`).join("\n");
}

const pairs = (map: Record<string, string> | undefined): string =>
  Object.entries(map ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");

/** Nested values as indented lines. */
function tree(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => `- ${indent(tree(item)).trimStart()}`).join("\n");
  if (typeof value !== "object" || value === null) return String(value ?? "");
  return Object.entries(value)
    .map(([key, inner]) => {
      const nested = typeof inner === "object" && inner !== null;
      const flat = Array.isArray(inner) && inner.every((item) => typeof item !== "object");
      if (flat) return `${key}: ${inner.map((item) => JSON.stringify(item)).join(" ")}`;
      return nested ? `${key}:\n${indent(tree(inner))}` : `${key}: ${tree(inner)}`;
    })
    .join("\n");
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, "  ");
