import { apiError } from "../../client/object-client.js";
import { badRequest } from "../errors.js";
import { isObject } from "../json.js";
import type { FieldValidation, WriteOptions } from "../registry/context.js";
import type { DeleteOptions } from "../registry/delete.js";
import type { SelectionOptions } from "../registry/selection.js";

// Options in a request's query. One that cannot be honoured is refused by its name, never ignored.

export interface ListQuery extends SelectionOptions {
  watch: boolean;
  /** "" if absent. */
  resourceVersion: string;
  allowWatchBookmarks: boolean;
  timeoutSeconds?: number;
}

export function listQuery(query: URLSearchParams, namespace: string | undefined): ListQuery {
  const watch = flag(query, "watch");
  refuseWatchList(query);
  if (query.get("continue")) throw badRequest("continue: this server answers a list as a whole");
  wholeNumber(query, "limit"); // a list longer than the limit is answered whole: the client asked to be spared, no more
  const match = query.get("resourceVersionMatch");
  if (match && match !== "NotOlderThan")
    throw badRequest(`resourceVersionMatch: ${match} is not carried out by this server: use NotOlderThan`);
  const timeoutSeconds = wholeNumber(query, "timeoutSeconds");
  return {
    ...(namespace !== undefined && { namespace }),
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
    watch,
    resourceVersion: resourceVersion(query),
    allowWatchBookmarks: flag(query, "allowWatchBookmarks"),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  };
}

/** Clients fall back to list and watch when it is refused so. */
function refuseWatchList(query: URLSearchParams): void {
  if (!query.get("sendInitialEvents")) return;
  const text = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
  throw apiError(422, "Invalid", `ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: ${text}`, {
    group: "meta.k8s.io",
    kind: "ListOptions",
    causes: [{ reason: "FieldValueForbidden", message: `Forbidden: ${text}`, field: "sendInitialEvents" }],
  });
}

function resourceVersion(query: URLSearchParams): string {
  const version = query.get("resourceVersion") ?? "";
  if (!/^\d*$/.test(version)) throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(version)}`);
  return version;
}

export function writeQuery(query: URLSearchParams): WriteOptions & { fieldValidation: FieldValidation } {
  const manager = query.get("fieldManager") ?? "";
  if (manager.length > 128) throw badRequest("fieldManager: Too long: may not be more than 128 bytes");
  const fieldValidation = query.get("fieldValidation") || "Strict";
  if (fieldValidation !== "Strict" && fieldValidation !== "Warn" && fieldValidation !== "Ignore")
    throw badRequest(
      `fieldValidation: Unsupported value: ${JSON.stringify(fieldValidation)}: supported values: "Ignore", "Warn", "Strict"`,
    );
  return { dryRun: dryRun(query.getAll("dryRun")), fieldValidation };
}

function dryRun(values: readonly unknown[]): boolean {
  for (const value of values)
    if (value !== "All" && value !== "")
      throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(value)}: supported values: "All"`);
  return values.includes("All");
}

/** Options of a deletion, from the query and from a DeleteOptions body (which counts where both speak). */
export function deleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  const given = isObject(body) ? body : {};
  if (body !== undefined && given.kind !== undefined && given.kind !== "DeleteOptions")
    throw badRequest(`the body of a delete must be DeleteOptions, and is ${JSON.stringify(given.kind)}`);
  const preconditions = isObject(given.preconditions) ? given.preconditions : {};
  const orphan = given.orphanDependents ?? (query.get("orphanDependents") === "true" || undefined);
  const policy = given.propagationPolicy ?? query.get("propagationPolicy") ?? (orphan ? "Orphan" : undefined);
  const dryRuns = Array.isArray(given.dryRun) ? given.dryRun : query.getAll("dryRun");
  return {
    ...(typeof preconditions.uid === "string" && { uid: preconditions.uid }),
    ...(typeof preconditions.resourceVersion === "string" && { resourceVersion: preconditions.resourceVersion }),
    ...(typeof policy === "string" && policy !== "" && { propagationPolicy: policy }),
    dryRun: dryRun(dryRuns),
  };
}

function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "false" && value !== "0"; // `?watch` alone means true
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^\d+$/.test(text)) throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number`);
  return Number(text);
}
