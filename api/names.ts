// From ECS names to object names. ECS allows letters of both cases and underscores; Kubernetes object names do not.
import { createHash } from "node:crypto";
import { resourceIdOf } from "./arn.js";

/** RFC 1123 label: what an object, or a label's value, may be called anywhere. */
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const HASH_DIGITS = 8;
/** Room for the hyphen and the hash within a label's 63 characters. */
const STEM_LENGTH = 63 - 1 - HASH_DIGITS;

export const DEFAULT_CLUSTER = "default";

export const isDnsLabel = (name: string): boolean => DNS_LABEL.test(name);

/** The exact name where it is a DNS label; else lower-cased, with a short hash of the exact name, so that `Web` and
 *  `web` stay two objects. (decision A4) */
export function objectName(exactName: string): string {
  if (isDnsLabel(exactName)) return exactName;
  const stem = exactName
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, STEM_LENGTH)
    .replace(/^-+|-+$/g, "");
  const hash = createHash("sha256").update(exactName).digest("hex").slice(0, HASH_DIGITS);
  return stem === "" ? `x-${hash}` : `${stem}-${hash}`;
}

/** metadata.name of a Service: `<service>` in cluster `default`, `<service>.<cluster>` elsewhere. */
export function serviceObjectName(serviceName: string, cluster: string = DEFAULT_CLUSTER): string {
  const name = objectName(serviceName);
  return cluster === DEFAULT_CLUSTER ? name : `${name}.${objectName(cluster)}`;
}

/** metadata.name of a TaskDefinitionRevision: `<family>.<revision>`. */
export const revisionObjectName = (family: string, revision: number): string => `${objectName(family)}.${revision}`;

/** What ECS calls a revision: `family:N`. */
export const revisionName = (family: string, revision: number): string => `${family}:${revision}`;

interface Named {
  metadata: { name?: string };
}

/** The ECS name of a service: `serviceName`, else metadata.name without the `.<cluster>` behind it. */
export function serviceNameOf({
  metadata,
  spec,
}: Named & { spec: { serviceName?: string; cluster?: string } }): string {
  const name = metadata.name ?? "";
  if (spec.serviceName !== undefined) return spec.serviceName;
  const suffix = `.${objectName(clusterNameOf(spec.cluster))}`;
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

/** The family of a TaskDefinition: `family`, else metadata.name (decision A26). */
export const familyOf = ({ metadata, spec }: Named & { spec: { family?: string } }): string =>
  spec.family ?? metadata.name ?? "";

/** The ECS name of a Cluster object: `clusterName`, else metadata.name. */
export const clusterNameOfObject = ({ metadata, spec }: Named & { spec: { clusterName?: string } }): string =>
  spec.clusterName ?? metadata.name ?? DEFAULT_CLUSTER;

/** The cluster's name out of what a `cluster` field may hold: a name, an ARN of any account, or nothing. */
export function clusterNameOf(reference: string | undefined): string {
  if (reference === undefined || reference === "") return DEFAULT_CLUSTER;
  return resourceIdOf(reference);
}

export interface RevisionReference {
  family: string;
  /** Absent: the newest ACTIVE one. */
  revision?: number;
}

/** What a `taskDefinition` field may hold: `family`, `family:N`, or an ARN of any account, of which the resource part
 *  counts. @returns undefined for anything else */
export function parseRevisionReference(reference: string): RevisionReference | undefined {
  const text = reference.startsWith("arn:") ? (/:task-definition\/(.+)$/.exec(reference)?.[1] ?? "") : reference;
  const [, family, number] = /^([a-zA-Z0-9_-]{1,255})(?::([1-9][0-9]{0,9}))?$/.exec(text) ?? [];
  if (family === undefined) return undefined;
  return number === undefined ? { family } : { family, revision: Number(number) };
}
