import type { IncomingMessage, ServerResponse } from "node:http";
import type { Resource, Resources } from "../resources/resource.js";
import { mediaRanges } from "./accept.js";
import { sendJson } from "./respond.js";

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const SUBRESOURCE_VERBS = ["get", "patch", "update"];
const SCALE = { group: "autoscaling", version: "v1", kind: "Scale" };

/** Answers what asks which kinds there are; false if the address asks for something else. */
export type Discover = (request: IncomingMessage, response: ServerResponse, segments: readonly string[]) => boolean;

export function createDiscovery(resources: Resources): Discover {
  return (request, response, segments) => {
    const [root, ...rest] = segments;
    if (request.method !== "GET") return false;
    if (rest.length === 0) {
      const wanted = aggregatedVersion(request.headers.accept);
      if (wanted === undefined)
        sendJson(response, 200, root === "api" ? coreVersions(resources) : groupList(resources));
      else sendAggregated(response, resources, root === "api", wanted);
      return true;
    }
    const [group = "", version] = root === "api" ? ["", rest[0]] : rest;
    if (rest.length > (root === "api" ? 1 : 2)) return false;
    const found = resources.all.filter((r) => r.group === group && (version === undefined || r.version === version));
    if (found.length === 0) return false;
    sendJson(response, 200, version === undefined ? apiGroup(group, found) : resourceList(found));
    return true;
  };
}

function coreVersions(resources: Resources) {
  const versions = versionsOf(resources.all.filter(({ group }) => group === ""));
  return { kind: "APIVersions", versions, serverAddressByClientCIDRs: [] };
}

function groupList(resources: Resources) {
  const groups = groupsOf(resources.all.filter(({ group }) => group !== ""));
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(([name, found]) => group(name, found)) };
}

const apiGroup = (name: string, found: readonly Resource[]) => ({
  kind: "APIGroup",
  apiVersion: "v1",
  ...group(name, found),
});

function group(name: string, found: readonly Resource[]) {
  const versions = versionsOf(found).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourceList(found: readonly Resource[]) {
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: found[0]?.apiVersion,
    resources: found.flatMap((resource) => {
      const { plural, singular, namespaced, kind, shortNames, categories } = resource;
      const self = {
        name: plural,
        singularName: singular,
        namespaced,
        kind,
        verbs: VERBS,
        ...names(shortNames, categories),
      };
      const parts = subresourcesOf(resource).map(({ subresource, responseKind }) => ({
        name: `${plural}/${subresource}`,
        singularName: "",
        namespaced,
        ...(responseKind.group !== resource.group && responseKind),
        kind: responseKind.kind,
        verbs: SUBRESOURCE_VERBS,
      }));
      return [self, ...parts];
    }),
  };
}

/** apidiscovery.k8s.io: everything in one answer, if the client asks for it. */
function aggregatedVersion(accept: string | undefined): "v2" | "v2beta1" | undefined {
  for (const { parameters } of mediaRanges(accept)) {
    const { g, v, as } = parameters;
    if (g !== "apidiscovery.k8s.io" || as !== "APIGroupDiscoveryList") continue;
    if (v === "v2" || v === "v2beta1") return v;
  }
  return undefined;
}

function sendAggregated(response: ServerResponse, resources: Resources, core: boolean, version: string): void {
  const groups = groupsOf(resources.all.filter(({ group }) => (group === "") === core));
  const list = {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(([name, found]) => ({
      metadata: { name, creationTimestamp: null },
      versions: versionsOf(found).map((each) => ({
        version: each,
        freshness: "Current",
        resources: found.filter((r) => r.version === each).map(aggregated),
      })),
    })),
  };
  const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  sendJson(response, 200, list, { "Content-Type": type, Vary: "Accept" });
}

const aggregated = (resource: Resource) => ({
  resource: resource.plural,
  responseKind: kindOf(resource),
  scope: resource.namespaced ? "Namespaced" : "Cluster",
  singularResource: resource.singular,
  verbs: VERBS,
  ...names(resource.shortNames, resource.categories),
  subresources: subresourcesOf(resource).map((part) => ({ ...part, verbs: SUBRESOURCE_VERBS })),
});

const kindOf = ({ group, version, kind }: Resource) => ({ group, version, kind });

function subresourcesOf(resource: Resource) {
  return [
    ...(resource.hasStatus ? [{ subresource: "status", responseKind: kindOf(resource) }] : []),
    ...(resource.scale ? [{ subresource: "scale", responseKind: SCALE }] : []),
  ];
}

const names = (shortNames: readonly string[], categories: readonly string[]) => ({
  ...(shortNames.length > 0 && { shortNames }),
  ...(categories.length > 0 && { categories }),
});

const versionsOf = (found: readonly Resource[]) => [...new Set(found.map(({ version }) => version))];

function groupsOf(found: readonly Resource[]): [name: string, resources: Resource[]][] {
  const groups = new Map<string, Resource[]>();
  for (const resource of found) groups.set(resource.group, [...(groups.get(resource.group) ?? []), resource]);
  return [...groups];
}
