import type { Schema } from "../../api/crd.js";
import { objectMetaSchema } from "../resources/object-meta.js";
import type { Resource } from "../resources/resource.js";

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const SCALE = "io.k8s.api.autoscaling.v1.Scale";

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

/** The parts of an OpenAPI 3.0 document that are made here; `x-…` and the schemas' own keys pass through. */
export interface OpenApiDocument {
  openapi: "3.0.0";
  info: { title: string; version: string };
  paths: Record<string, Record<string, unknown>>;
  components: { schemas: Record<string, ComponentSchema> };
}
export type ComponentSchema = Omit<Schema, "properties"> & {
  $ref?: string;
  properties?: Record<string, Schema | { description?: string; allOf: { $ref: string }[] }>;
  "x-kubernetes-group-version-kind"?: GroupVersionKind[];
};

/** One group-version. kubectl looks here for what a kind's fields are, and for which options its PATCH takes. */
export function groupDocument(resources: readonly Resource[]): OpenApiDocument {
  const schemas: Record<string, ComponentSchema> = { [OBJECT_META]: objectMetaSchema };
  const paths: OpenApiDocument["paths"] = {};
  for (const resource of resources) {
    schemas[componentName(resource)] = componentSchema(resource);
    if (resource.scale) schemas[SCALE] = scaleSchema;
    Object.assign(paths, pathsOf(resource));
  }
  return { openapi: "3.0.0", info: { title: "Davit", version: "v1" }, paths, components: { schemas } };
}

/** The group backwards, as Kubernetes names the schemas of its CRDs. */
export const componentName = ({ group, version, kind }: GroupVersionKind) =>
  group === "" ? `io.k8s.api.core.${version}.${kind}` : `${group.split(".").reverse().join(".")}.${version}.${kind}`;

const gvkOf = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, version, kind });
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

function componentSchema(resource: Resource): ComponentSchema {
  const { properties, ...schema } = resource.schema;
  return {
    ...schema,
    properties: {
      ...properties,
      apiVersion: { type: "string", description: `Always ${resource.apiVersion}.` },
      kind: { type: "string", description: `Always ${resource.kind}.` },
      metadata: { description: objectMetaSchema.description ?? "", allOf: [ref(OBJECT_META)] },
    },
    "x-kubernetes-group-version-kind": [gvkOf(resource)],
  };
}

const scaleSchema: ComponentSchema = {
  type: "object",
  description: "How many replicas are wanted, and how many there are.",
  properties: {
    apiVersion: { type: "string" },
    kind: { type: "string" },
    metadata: { allOf: [ref(OBJECT_META)] },
    spec: { type: "object", properties: { replicas: { type: "integer", format: "int32" } } },
    status: {
      type: "object",
      properties: { replicas: { type: "integer", format: "int32" }, selector: { type: "string" } },
    },
  },
  "x-kubernetes-group-version-kind": [{ group: "autoscaling", version: "v1", kind: "Scale" }],
};

export function collectionPath({ group, version, namespaced, plural }: Resource): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}/${namespaced ? "namespaces/{namespace}/" : ""}${plural}`;
}

const query = (name: string, type: string) => ({ name, in: "query", schema: { type, uniqueItems: true } });
const WRITE = [query("dryRun", "string"), query("fieldManager", "string"), query("fieldValidation", "string")];
const LIST = [
  query("labelSelector", "string"),
  query("fieldSelector", "string"),
  query("limit", "integer"),
  query("resourceVersion", "string"),
  query("watch", "boolean"),
  query("allowWatchBookmarks", "boolean"),
  query("timeoutSeconds", "integer"),
];
const DELETE = [query("dryRun", "string"), query("propagationPolicy", "string")];
const PATCHES = ["application/json-patch+json", "application/merge-patch+json"];

function pathsOf(resource: Resource): OpenApiDocument["paths"] {
  const { kind, namespaced, hasStatus, scale } = resource;
  const content = { "application/json": { schema: ref(componentName(resource)) } };
  const answers = (schema: object) => ({ "200": { description: "OK", content: { "application/json": { schema } } } });
  const operation = (verb: string, action: string, rest: object, of = gvkOf(resource)) => ({
    operationId: `${verb}${namespaced ? "Namespaced" : ""}${kind}`,
    responses: answers(ref(componentName(resource))),
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": of,
    ...rest,
  });
  const patchBody = {
    content: Object.fromEntries(PATCHES.map((type) => [type, { schema: { type: "object" } }])),
    required: true,
  };
  const change = (suffix: string) => ({
    get: operation(`read${suffix}`, "get", {}),
    put: operation(`replace${suffix}`, "put", { parameters: WRITE, requestBody: { content, required: true } }),
    patch: operation(`patch${suffix}`, "patch", { parameters: WRITE, requestBody: patchBody }),
  });
  const path = (name: string, required = true) => ({ name, in: "path", required, schema: { type: "string" } });
  const outer = namespaced ? [path("namespace")] : [];
  const collection = collectionPath(resource);
  const item = `${collection}/{name}`;
  return {
    [collection]: {
      parameters: outer,
      get: operation("list", "list", { parameters: LIST }),
      post: operation("create", "post", { parameters: WRITE, requestBody: { content, required: true } }),
      delete: operation("deleteCollection", "deletecollection", { parameters: [...LIST, ...DELETE] }),
    },
    [item]: {
      parameters: [path("name"), ...outer],
      ...change(""),
      delete: operation("delete", "delete", { parameters: DELETE }),
    },
    ...(hasStatus && { [`${item}/status`]: { parameters: [path("name"), ...outer], ...change("Status") } }),
    ...(scale && { [`${item}/scale`]: { parameters: [path("name"), ...outer], ...scaleOperations(operation) } }),
  };
}

function scaleOperations(
  operation: (verb: string, action: string, rest: object, of: GroupVersionKind) => object,
): Record<string, unknown> {
  const of = { group: "autoscaling", version: "v1", kind: "Scale" };
  const responses = { "200": { description: "OK", content: { "application/json": { schema: ref(SCALE) } } } };
  return {
    get: operation("readScale", "get", { responses }, of),
    put: operation("replaceScale", "put", { responses, parameters: WRITE }, of),
    patch: operation("patchScale", "patch", { responses, parameters: WRITE }, of),
  };
}
