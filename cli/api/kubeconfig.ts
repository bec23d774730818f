// The part of a kubeconfig that Davit itself reads and writes.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Failure, messageOf } from "../failure.js";
import { writeWhole } from "../supervisor/data-folder.js";

/** How to reach one API server. */
export interface Access {
  url: string;
  /** PEM. */
  ca?: string;
  token?: string;
  clientCert?: string;
  clientKey?: string;
}

/** The name of cluster, user and context that Davit owns in any kubeconfig. */
export const CONTEXT = "davit";

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objectsOf = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** The access that a kubeconfig's context gives. @param context the current one if absent */
export function readAccess(path: string, context?: string): Access {
  const config = parse(path);
  const name = context ?? text(config["current-context"]) ?? CONTEXT;
  const chosen = body(config.contexts, name, "context");
  const cluster = chosen && body(config.clusters, text(chosen.cluster), "cluster");
  const user = (chosen && body(config.users, text(chosen.user), "user")) ?? {};
  const url = cluster && text(cluster.server);
  if (!cluster || !url)
    throw new Failure(`${path} has no usable context ${name}: name another file with --kubeconfig.`);
  const access: Access = { url };
  const ca = pem(cluster, "certificate-authority");
  const token = text(user.token);
  const clientCert = pem(user, "client-certificate");
  const clientKey = pem(user, "client-key");
  return {
    ...access,
    ...(ca !== undefined && { ca }),
    ...(token !== undefined && { token }),
    ...(clientCert !== undefined && { clientCert }),
    ...(clientKey !== undefined && { clientKey }),
  };
}

/** Writes Davit's context into a file and leaves every other entry of it as it is. */
export function writeAccess(path: string, access: Access): void {
  const config = existsSync(path) ? parse(path) : {};
  const cluster = { server: access.url, ...(access.ca && { "certificate-authority-data": base64(access.ca) }) };
  const user = {
    ...(access.token && { token: access.token }),
    ...(access.clientCert && { "client-certificate-data": base64(access.clientCert) }),
    ...(access.clientKey && { "client-key-data": base64(access.clientKey) }),
  };
  const merged = {
    ...config,
    apiVersion: "v1",
    kind: "Config",
    clusters: withEntry(config.clusters, { name: CONTEXT, cluster }),
    users: withEntry(config.users, { name: CONTEXT, user }),
    contexts: withEntry(config.contexts, {
      name: CONTEXT,
      context: { cluster: CONTEXT, user: CONTEXT, namespace: "default" },
    }),
    "current-context": text(config["current-context"]) || CONTEXT,
  };
  writeWhole(path, yaml().dump(merged));
}

/** Loaded only where it is needed: Davit's own kubeconfig is JSON, and a command should start fast. */
const yaml = (): typeof import("js-yaml") => createRequire(import.meta.url)("js-yaml");

function parse(path: string): Json {
  let config: unknown;
  try {
    const text = readFileSync(path, "utf8");
    config = text.startsWith("{") ? JSON.parse(text) : yaml().load(text);
  } catch (error) {
    throw new Failure(`the kubeconfig ${path} can't be read: ${messageOf(error)}`);
  }
  if (config === null || config === undefined) return {};
  if (!isObject(config)) throw new Failure(`${path} is no kubeconfig.`);
  return config;
}

function body(list: unknown, name: string | undefined, kind: string): Json | undefined {
  const inner = objectsOf(list).find((entry) => entry.name === name)?.[kind];
  return isObject(inner) ? inner : undefined;
}

function pem(from: Json, key: string): string | undefined {
  const data = text(from[`${key}-data`]);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const path = text(from[key]);
  return path === undefined ? undefined : readFileSync(path, "utf8");
}

const base64 = (value: string): string => Buffer.from(value, "utf8").toString("base64");

const withEntry = (list: unknown, entry: { name: string; [kind: string]: unknown }): unknown[] => [
  ...objectsOf(list).filter(({ name }) => name !== entry.name),
  entry,
];
