// The CRDs against today's service model of ECS: nothing that runs on AWS may be refused, or lack its place.
import assert from "node:assert/strict";
import type { Schema } from "../../api/crd.js";
import { readCrds } from "../../scripts/generate/crds.js";
import { schemaOf } from "../../scripts/generate/types.js";
import { shapeOf } from "./service-model.js";

/** Which shape belongs to which part of which kind. `both`: what describe prints, of which the object holds the one
 *  half in spec and the other in status. */
const SHAPES = [
  ["RegisterTaskDefinitionRequest", "TaskDefinition", "spec"],
  ["RegisterTaskDefinitionRequest", "TaskDefinitionRevision", "spec"],
  ["TaskDefinition", "TaskDefinitionRevision", "both"],
  ["CreateServiceRequest", "Service", "spec"],
  ["UpdateServiceRequest", "Service", "spec"],
  ["Service", "Service", "both"],
  ["CreateTaskSetRequest", "TaskSet", "spec"],
  ["TaskSet", "TaskSet", "both"],
  ["RunTaskRequest", "Task", "spec"],
  ["StartTaskRequest", "Task", "spec"],
  ["Task", "Task", "both"],
  ["CreateClusterRequest", "Cluster", "spec"],
  ["Cluster", "Cluster", "both"],
  ["ContainerInstance", "ContainerInstance", "both"],
  ["RegisterContainerInstanceRequest", "ContainerInstance", "both"],
] as const;

/** Members without a place of their own, and why. */
const LEFT_OUT: Record<string, string> = {
  "CreateServiceRequest.clientToken": "a request, not state (decision A31)",
  "CreateServiceRequest.role": "a request, not state (decision A31)",
  "UpdateServiceRequest.forceNewDeployment": "a request, not state (decision A31)",
  "UpdateServiceRequest.service": "the object itself",
  "Service.taskSets": "objects of their own",
  "Deployment.serviceConnectConfiguration": "stands in the service's spec",
  "Deployment.serviceConnectResources": "stands in the service's spec",
  "Deployment.volumeConfigurations": "stands in the service's spec",
  "Deployment.vpcLatticeConfigurations": "stands in the service's spec",
  "Deployment.fargateEphemeralStorage": "stands in the task set's status",
  "CreateTaskSetRequest.clientToken": "a request, not state",
  "RunTaskRequest.clientToken": "a request, not state",
  "RunTaskRequest.count": "one object for each task",
  "StartTaskRequest.containerInstances": "spec.containerInstance, one object for each task",
  "RegisterContainerInstanceRequest.instanceIdentityDocument": "Davit's agents have credentials instead",
  "RegisterContainerInstanceRequest.instanceIdentityDocumentSignature": "Davit's agents have credentials instead",
  "RegisterContainerInstanceRequest.totalResources": "status.registeredResources",
};

/** Fields that we ask for and the model does not; ECS refuses them when they are missing (spec/02, spec/06 §10). */
const ALSO_REQUIRED = new Set(
  [
    "ContainerDefinition.name ContainerDefinition.image KeyValuePair.name KeyValuePair.value Tag.key",
    "MountPoint.sourceVolume MountPoint.containerPath VolumeFrom.sourceContainer Volume.name",
    "PlacementConstraint.type TaskDefinitionPlacementConstraint.type PlacementStrategy.type",
    "ContainerOverride.name ClusterSetting.name ClusterSetting.value Scale.value Scale.unit",
  ].flatMap((line) => line.split(" ")),
);

const crds = readCrds();
const objectNode = (schema: Schema | undefined): Schema => schema ?? {};

function partOf(kind: string, part: "spec" | "both"): Schema {
  const crd = crds.find(({ spec }) => spec.names.kind === kind);
  assert.ok(crd, kind);
  const { spec, status } = schemaOf(crd).properties ?? {};
  return part === "spec"
    ? objectNode(spec)
    : { type: "object", properties: { ...status?.properties, ...spec?.properties } };
}

const TYPES: Record<string, readonly string[]> = {
  string: ["string"],
  timestamp: ["string"],
  integer: ["integer"],
  long: ["integer"],
  double: ["number"],
  boolean: ["boolean"],
};

/** Every difference between a shape and a schema that would refuse, or lose, what ECS takes. */
function differences(shapeName: string, schema: Schema, path: string, isOutput: boolean): string[] {
  const shape = shapeOf(shapeName);
  if (shape.document) return schema["x-kubernetes-preserve-unknown-fields"] ? [] : [`${path}: must keep any document`];
  if (schema["x-kubernetes-int-or-string"]) return shape.type === "string" ? [] : [`${path}: is no ${shape.type}`];
  if (shape.type === "structure") return memberDifferences(shapeName, schema, path, isOutput);
  if (shape.type === "list")
    return schema.items && shape.member
      ? [
          ...differences(shape.member.shape, schema.items, `${path}[]`, isOutput),
          ...narrower(path, "at most", shape.max, schema.maxItems),
        ]
      : [`${path}: is no list`];
  if (shape.type === "map")
    return schema.additionalProperties?.type === "string" ? [] : [`${path}: is no map of strings`];
  const wrongType = TYPES[shape.type]?.includes(schema.type ?? "")
    ? []
    : [`${path}: ${schema.type} is no ${shape.type}`];
  const missing = schema.enum ? (shape.enum ?? []).filter((value) => !schema.enum?.includes(value)) : [];
  return [
    ...wrongType,
    ...missing.map((value) => `${path}: lacks the value ${value}`),
    ...(shape.enum && !schema.enum ? [`${path}: takes any value`] : []),
    ...narrower(path, "at most", shape.max, schema.type === "string" ? schema.maxLength : schema.maximum),
  ];
}

function memberDifferences(shapeName: string, schema: Schema, path: string, isOutput: boolean): string[] {
  const { members = {}, required = [] } = shapeOf(shapeName);
  const missing = Object.entries(members).flatMap(([name, { shape }]) => {
    if (LEFT_OUT[`${shapeName}.${name}`] !== undefined) return [];
    const property = schema.properties?.[name];
    return property
      ? differences(shape, property, `${path}.${name}`, isOutput)
      : [`${path}.${name} (${shapeName}.${name}) has no place`];
  });
  // What Davit itself writes may be held to more than what others write.
  const asked = isOutput ? [] : (schema.required ?? []);
  const tooMuch = asked.filter(
    (name) => members[name] && !required.includes(name) && !ALSO_REQUIRED.has(`${shapeName}.${name}`),
  );
  return [...missing, ...tooMuch.map((name) => `${path}.${name} (${shapeName}.${name}) is required here only`)];
}

function narrower(path: string, what: string, wide: number | undefined, ours: number | undefined): string[] {
  return wide !== undefined && (ours === undefined || ours < wide)
    ? [`${path}: must take ${what} ${wide}, takes ${ours}`]
    : [];
}

describe("the CRDs against today's service model", () => {
  for (const [shape, kind, part] of SHAPES)
    it(`${kind} has a place for all of ${shape}`, () =>
      assert.deepEqual(differences(shape, partOf(kind, part), "", part === "both"), []));

  it("leave out only what the model has", () => {
    for (const name of [...Object.keys(LEFT_OUT), ...ALSO_REQUIRED]) {
      const [shape = "", member = ""] = name.split(".");
      assert.ok(shapeOf(shape).members?.[member], name);
    }
  });

  it("the comparison itself finds what is missing", () => {
    const spec = structuredClone(partOf("TaskDefinition", "spec"));
    const container = objectNode(spec.properties?.containerDefinitions?.items);
    delete container.properties?.ulimits;
    container.required?.push("cpu");
    const networkMode = objectNode(spec.properties?.networkMode);
    networkMode.enum = ["bridge"];
    assert.deepEqual(differences("RegisterTaskDefinitionRequest", spec, "", false).sort(), [
      ".containerDefinitions[].cpu (ContainerDefinition.cpu) is required here only",
      ".containerDefinitions[].ulimits (ContainerDefinition.ulimits) has no place",
      ".networkMode: lacks the value awsvpc",
      ".networkMode: lacks the value host",
      ".networkMode: lacks the value none",
    ]);
  });
});
