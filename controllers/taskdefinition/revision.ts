// A revision as it is registered, and what is known of it from its text alone. Pure.
import type { Arns } from "../../api/arn.js";
import { setCondition } from "../../api/conditions.js";
import { fieldsWithoutEffect, notImplementedMessage } from "../../api/fields.js";
import { revisionObjectName } from "../../api/names.js";
import { revisionSpec } from "../../api/normal-form.js";
import type {
  LaunchType,
  New,
  TaskDefinition,
  TaskDefinitionRevision,
  TaskDefinitionRevisionSpec,
  TaskDefinitionRevisionStatus,
} from "../../api/types.gen.js";
import { ignoredCondition } from "../ignored.js";
import { ANNOTATION, LABEL, labelValue } from "../labels.js";

export function newRevision(
  definition: TaskDefinition,
  { family, revision, arns, nowMs }: { family: string; revision: number; arns: Arns; nowMs: number },
): New<"TaskDefinitionRevision"> {
  const spec = revisionSpec(family, revision, definition.spec);
  const batch = definition.metadata.annotations?.[ANNOTATION.batch];
  return {
    apiVersion: "davit.dev/v1",
    kind: "TaskDefinitionRevision",
    metadata: {
      name: revisionObjectName(family, revision),
      namespace: definition.metadata.namespace,
      labels: { [LABEL.family]: labelValue(family) },
      ...(batch !== undefined && { annotations: { [ANNOTATION.batch]: batch } }),
    },
    spec,
    status: revisionStatus({ spec, generation: 1 }, arns, nowMs),
  };
}

/** ACTIVE, and whether it can be run at all. */
export function revisionStatus(
  {
    spec,
    generation,
    before = {},
  }: {
    spec: TaskDefinitionRevisionSpec;
    generation: number;
    before?: TaskDefinitionRevisionStatus;
  },
  arns: Arns,
  nowMs: number,
): TaskDefinitionRevisionStatus {
  const { notImplemented } = fieldsWithoutEffect("TaskDefinitionRevision", spec);
  const runnable =
    notImplemented === undefined
      ? { status: "True" as const, reason: "Runnable", message: "" }
      : { status: "False" as const, reason: "NotImplemented", message: notImplementedMessage(notImplemented) };
  const ready = { type: "Ready", status: "True" as const, reason: "Registered", message: "" };
  let conditions = setCondition(before.conditions, { ...ready, observedGeneration: generation }, nowMs);
  conditions = setCondition(conditions, { type: "Runnable", ...runnable, observedGeneration: generation }, nowMs);
  return {
    ...before,
    observedGeneration: generation,
    conditions: ignoredCondition(conditions, "TaskDefinitionRevision", spec, generation, nowMs),
    status: before.status ?? "ACTIVE",
    taskDefinitionArn: arns.taskDefinition(spec.family, spec.revision),
    registeredAt: before.registeredAt ?? new Date(nowMs).toISOString(),
    compatibilities: compatibilities(spec),
  };
}

/** Every launch type that it could run on (spec/09 §2.2): Fargate asks for awsvpc and a size. */
function compatibilities({ networkMode, cpu, memory }: TaskDefinitionRevisionSpec): LaunchType[] {
  const fargate = networkMode === "awsvpc" && cpu !== undefined && memory !== undefined;
  return fargate ? ["EC2", "EXTERNAL", "FARGATE"] : ["EC2", "EXTERNAL"];
}

/** Deregistered: for good. Undefined where it is so already (03-50). */
export function deregistered(
  { metadata, status = {} }: TaskDefinitionRevision,
  nowMs: number,
): TaskDefinitionRevisionStatus | undefined {
  if (status.status === "INACTIVE") return undefined;
  return {
    ...status,
    observedGeneration: metadata.generation,
    status: "INACTIVE",
    deregisteredAt: new Date(nowMs).toISOString(),
  };
}
