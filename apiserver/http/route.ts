import { noSuchPath } from "../errors.js";
import type { Resource, Resources } from "../resources/resource.js";

export interface ResourceRoute {
  resource: Resource;
  /** Absent for cluster-scoped kinds, and for collections over all namespaces. */
  namespace?: string;
  /** Absent for collections. */
  name?: string;
  subresource?: "status" | "scale";
}

/** What lies under `/api/v1/…` and `/apis/GROUP/VERSION/…`. @throws 404 */
export function resourceRoute(resources: Resources, segments: readonly string[]): ResourceRoute {
  const [root, ...below] = segments;
  const [group = "", version = "", ...rest] = root === "api" ? ["", ...below] : below;
  const find = (plural = "") => resources.byPath(group, version, plural);

  const [first, namespace, plural, ...tail] = rest;
  if (first === "namespaces" && namespace !== undefined && plural !== undefined) {
    const resource = find(plural);
    if (resource?.namespaced) return withName({ resource, namespace }, tail);
  }
  const resource = find(first);
  if (resource === undefined) throw noSuchPath();
  const underneath = rest.slice(1);
  // One object of a namespaced kind has no address without its namespace.
  if (resource.namespaced && underneath.length > 0) throw noSuchPath();
  return withName({ resource }, underneath);
}

function withName(route: ResourceRoute, [name, subresource, ...more]: string[]): ResourceRoute {
  if (name === undefined) return route;
  if (subresource === undefined) return { ...route, name };
  const { hasStatus, scale } = route.resource;
  const served = (subresource === "status" && hasStatus) || (subresource === "scale" && scale !== undefined);
  if (!served || more.length > 0) throw noSuchPath();
  return { ...route, name, subresource: subresource as "status" | "scale" };
}
