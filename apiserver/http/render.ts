import type { ApiObject } from "../../api/meta.js";
import { badRequest } from "../errors.js";
import type { ObjectList } from "../registry/list.js";
import type { Resource } from "../resources/resource.js";
import type { Form } from "./accept.js";
import { columnDefinitions, type IncludeObject, partial, rowsOf, type Table } from "./table.js";

/** How one client wants objects of one kind. */
export interface Renderer {
  one(object: ApiObject): unknown;
  list(list: ObjectList): unknown;
  /** For a watch event; the first one of a watch brings the columns. */
  event(object: ApiObject, first: boolean): unknown;
  bookmark(resourceVersion: string): unknown;
}

export function renderer(resource: Resource, form: Form, query: URLSearchParams, now: () => number): Renderer {
  if (form === "Table") return tables(resource, includeObject(query), now);
  return form === "object" ? objects(resource) : partials;
}

const objects = ({ apiVersion, kind, listKind }: Resource): Renderer => ({
  one: (object) => object,
  list: ({ items, resourceVersion }) => ({ apiVersion, items, kind: listKind, metadata: { resourceVersion } }),
  event: (object) => object,
  bookmark: (resourceVersion) => ({ kind, apiVersion, metadata: { resourceVersion, creationTimestamp: null } }),
});

const partials: Renderer = {
  one: partial,
  list: ({ items, resourceVersion }) => ({
    kind: "PartialObjectMetadataList",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion },
    items: items.map(partial),
  }),
  event: partial,
  bookmark: (resourceVersion) => ({
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion, creationTimestamp: null },
  }),
};

function tables(resource: Resource, include: IncludeObject, now: () => number): Renderer {
  const table = (resourceVersion: string, rows: Table["rows"], withColumns: boolean): Table => ({
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: { resourceVersion },
    ...(withColumns && { columnDefinitions: columnDefinitions(resource) }),
    rows,
  });
  const row = (object: ApiObject) => rowsOf(resource, [object], include, now());
  return {
    one: (object) => table(object.metadata.resourceVersion, row(object), true),
    list: ({ items, resourceVersion }) => table(resourceVersion, rowsOf(resource, items, include, now()), true),
    event: (object, first) => table(object.metadata.resourceVersion, row(object), first),
    bookmark: (resourceVersion) => table(resourceVersion, [], false),
  };
}

function includeObject(query: URLSearchParams): IncludeObject {
  const include = query.get("includeObject") || "Metadata";
  if (include === "None" || include === "Metadata" || include === "Object") return include;
  throw badRequest(
    `includeObject: Unsupported value: ${JSON.stringify(include)}: supported values: "None", "Metadata", "Object"`,
  );
}
