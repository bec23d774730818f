import type { PrinterColumn } from "../../api/crd.js";
import type { ApiObject, ObjectMeta } from "../../api/meta.js";
import type { Resource } from "../resources/resource.js";
import { humanDuration } from "./age.js";
import { compileJsonPath, type JsonPath } from "./json-path.js";

/** meta.k8s.io/v1 Table: what `kubectl get` prints. */
export interface Table {
  kind: "Table";
  apiVersion: "meta.k8s.io/v1";
  metadata: { resourceVersion?: string };
  columnDefinitions?: readonly ColumnDefinition[];
  rows: readonly { cells: readonly unknown[]; object?: unknown }[];
}

interface ColumnDefinition {
  name: string;
  type: string;
  format: string;
  description: string;
  priority: number;
}

/** Which part of each object a row carries. */
export type IncludeObject = "None" | "Metadata" | "Object";

interface Column extends PrinterColumn {
  find: JsonPath;
}

const AGE: PrinterColumn = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since it was created.",
};

const compiled = new WeakMap<Resource, readonly Column[]>();

function columnsOf(resource: Resource): readonly Column[] {
  const known = compiled.get(resource);
  if (known) return known;
  const columns = resource.columns.length > 0 ? resource.columns : [AGE];
  const ready = columns.map((column) => ({ ...column, find: compileJsonPath(column.jsonPath) }));
  compiled.set(resource, ready);
  return ready;
}

export function columnDefinitions(resource: Resource): ColumnDefinition[] {
  const name = {
    name: "Name",
    type: "string",
    format: "name",
    description: "Name, unique within a namespace.",
    priority: 0,
  };
  const others = columnsOf(resource).map(({ name, type, format = "", description = "", priority = 0 }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
  return [name, ...others];
}

export function rowsOf(resource: Resource, objects: readonly ApiObject[], include: IncludeObject, nowMs: number) {
  const columns = columnsOf(resource);
  return objects.map((object) => ({
    cells: [object.metadata.name, ...columns.map((column) => cell(column, object, nowMs))],
    ...(include !== "None" && { object: include === "Object" ? object : partial(object) }),
  }));
}

function cell({ find, type }: Column, object: ApiObject, nowMs: number): unknown {
  const values = find(object);
  const [value] = values;
  if (value === undefined) return null;
  switch (type) {
    case "integer":
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? age(value, nowMs) : null;
    default:
      return values.map((v) => (typeof v === "object" ? JSON.stringify(v) : String(v))).join(",");
  }
}

function age(time: string, nowMs: number): string {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? "<invalid>" : humanDuration(nowMs - ms);
}

export interface PartialObjectMetadata {
  kind: "PartialObjectMetadata";
  apiVersion: "meta.k8s.io/v1";
  metadata: ObjectMeta;
}

export const partial = ({ metadata }: ApiObject): PartialObjectMetadata => ({
  kind: "PartialObjectMetadata",
  apiVersion: "meta.k8s.io/v1",
  metadata,
});
