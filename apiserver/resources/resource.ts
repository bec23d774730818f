import type { CustomResourceDefinition, PrinterColumn, ScaleSubresource, Schema } from "../../api/crd.js";
import type { ApiObject } from "../../api/meta.js";
import type { Key } from "../../store/store.js";
import { cascades, type DenyDelete, denyDeleteRules } from "./deny-delete.js";
import { objectMetaSchema } from "./object-meta.js";

/** One served kind, as the rest of the API server sees it. */
export interface Resource {
  /** "" for the core group. */
  group: string;
  version: string;
  apiVersion: string;
  kind: string;
  listKind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  /** The whole object's schema, metadata included. */
  schema: Schema;
  columns: readonly PrinterColumn[];
  hasStatus: boolean;
  scale?: ScaleSubresource;
  annotations: Readonly<Record<string, string>>;
  /** What keeps an object from being deleted. */
  denyDelete: readonly DenyDelete[];
  /** A deletion may ask for that to be deleted too. */
  cascades: boolean;
}

export interface Ref {
  /** Empty for cluster-scoped kinds. */
  namespace: string;
  name: string;
}

/** `services.davit.dev`, `namespaces`: how keys and error messages name a kind. */
export const qualifiedName = (resource: Resource) =>
  resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;

export const keyOf = (resource: Resource, ref: Ref): Key =>
  `${qualifiedName(resource)}/${resource.namespaced ? ref.namespace : ""}/${ref.name}`;

/** What `Store.list` and `Store.watch` take: all namespaces if none is given. */
export const prefixOf = (resource: Resource, namespace?: string): string =>
  namespace === undefined || !resource.namespaced
    ? `${qualifiedName(resource)}/`
    : `${qualifiedName(resource)}/${namespace}/`;

export const refOf = (object: ApiObject): Ref => ({
  namespace: object.metadata.namespace ?? "",
  name: object.metadata.name,
});

/** Every served kind. */
export interface Resources {
  readonly all: readonly Resource[];
  byPath(group: string, version: string, plural: string): Resource | undefined;
  byKind(apiVersion: string, kind: string): Resource | undefined;
}

export function resourcesOf(definitions: readonly CustomResourceDefinition[]): Resources {
  const all = definitions.map(resourceOf);
  const paths = new Map(all.map((r) => [`${r.group}/${r.version}/${r.plural}`, r]));
  const kinds = new Map(all.map((r) => [`${r.apiVersion}/${r.kind}`, r]));
  return {
    all,
    byPath: (group, version, plural) => paths.get(`${group}/${version}/${plural}`),
    byKind: (apiVersion, kind) => kinds.get(`${apiVersion}/${kind}`),
  };
}

function resourceOf({ metadata, spec }: CustomResourceDefinition): Resource {
  const version = spec.versions.find((v) => v.storage && v.served);
  if (version === undefined) throw new Error(`${metadata.name}: no version is both served and stored`);
  const { names, group } = spec;
  const { annotations = {} } = metadata;
  return {
    group,
    version: version.name,
    apiVersion: group === "" ? version.name : `${group}/${version.name}`,
    kind: names.kind,
    listKind: names.listKind,
    plural: names.plural,
    singular: names.singular,
    shortNames: names.shortNames,
    categories: names.categories,
    namespaced: spec.scope === "Namespaced",
    schema: withObjectMeta(version.schema.openAPIV3Schema),
    columns: version.additionalPrinterColumns,
    hasStatus: version.subresources?.status !== undefined,
    ...(version.subresources?.scale && { scale: version.subresources.scale }),
    annotations,
    denyDelete: denyDeleteRules(annotations),
    cascades: cascades(annotations),
  };
}

/** A CRD's schema leaves metadata open; here it is spelled out, so that unknown fields are found there too. */
function withObjectMeta(schema: Schema): Schema {
  return {
    ...schema,
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      ...schema.properties,
      metadata: objectMetaSchema,
    },
  };
}
