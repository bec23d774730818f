import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { dirname, resolve } from "node:path";
import type { Connection } from "./http-transport.js";

export interface KubeconfigChoice {
  /** The file. */
  path: string;
  /** The file's current context if absent. */
  context?: string;
}

/** Reads how to reach the API server of a kubeconfig's context, and the context's namespace. Credentials that stand
 *  in the file are read here, in milliseconds; those that a program or a cloud hands out are left to client-node,
 *  which takes most of a second to load. @throws an Error that names the file and what is wrong with it */
export async function readKubeconfig(choice: KubeconfigChoice): Promise<{ connection: Connection; namespace: string }> {
  const { path } = choice;
  const config = await loadKubeconfig(path);
  const name = choice.context ?? textOf(config["current-context"]);
  if (!name) throw new Error(`${path}: no current-context; name a context`);
  const context = entry(config, "contexts", "context", name, path);
  const cluster = entry(config, "clusters", "cluster", textOf(context.cluster), path);
  const user = context.user === undefined ? {} : entry(config, "users", "user", textOf(context.user), path);
  const server = textOf(cluster.server);
  if (!server || !URL.canParse(server))
    throw new Error(`${path}: the cluster of context "${name}" has no server address`);
  const connection: Connection = {
    server,
    ca: await pem(cluster, "certificate-authority", path),
    serverName: textOf(cluster["tls-server-name"]),
    insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"] === true,
    ...(needsClientNode(cluster, user)
      ? { authenticate: await clientNode(path, name, cluster["proxy-url"] !== undefined) }
      : await credentials(user, path)),
  };
  return { connection, namespace: textOf(context.namespace) ?? "default" };
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** The file as it stands; {} for an empty one. @throws an Error that names the file and what is wrong with it */
export async function loadKubeconfig(path: string): Promise<Json> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new Error(`cannot read the kubeconfig ${path}: ${error instanceof Error ? error.message : error}`);
  }
  const config = parseJson(text) ?? (await parseYaml(text, path)) ?? {};
  if (!isObject(config)) throw new Error(`${path} is no kubeconfig`);
  return config;
}

/** Davit's own kubeconfig is JSON, which is YAML that needs no library. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function parseYaml(text: string, path: string): Promise<unknown> {
  const { load } = await import("js-yaml");
  try {
    return load(text);
  } catch (error) {
    throw new Error(`${path} is no YAML: ${error instanceof Error ? error.message : error}`);
  }
}

/** What stands under `name` in one of the three named lists. */
function entry(config: Json, list: string, kind: string, name: string | undefined, path: string): Json {
  const entries = Array.isArray(config[list]) ? config[list] : [];
  const found: unknown = entries.find((each: unknown) => isObject(each) && each.name === name);
  const body = isObject(found) ? found[kind] : undefined;
  if (!isObject(body)) throw new Error(`${path}: there is no ${kind} "${name}"`);
  return body;
}

async function credentials(user: Json, path: string): Promise<Partial<Connection>> {
  const tokenFile = textOf(user.tokenFile);
  return {
    token: tokenFile ? (await readBeside(path, tokenFile)).trim() : textOf(user.token),
    username: textOf(user.username),
    password: textOf(user.password),
    clientCertificate: await pem(user, "client-certificate", path),
    clientKey: await pem(user, "client-key", path),
  };
}

/** `<field>-data` in base64, or the file that `<field>` names. */
async function pem(from: Json, field: string, path: string): Promise<string | undefined> {
  const data = textOf(from[`${field}-data`]);
  if (data) return Buffer.from(data, "base64").toString("utf8");
  const file = textOf(from[field]);
  return file && readBeside(path, file);
}

/** Paths in a kubeconfig are relative to the kubeconfig. */
async function readBeside(path: string, file: string): Promise<string> {
  try {
    return await readFile(resolve(dirname(path), file), "utf8");
  } catch (error) {
    throw new Error(`${path} names a file that can't be read: ${error instanceof Error ? error.message : error}`);
  }
}

const needsClientNode = (cluster: Json, user: Json): boolean =>
  user.exec !== undefined || user["auth-provider"] !== undefined || cluster["proxy-url"] !== undefined;

async function clientNode(path: string, context: string, proxied: boolean): Promise<() => Promise<RequestOptions>> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromFile(path);
  config.setCurrentContext(context);
  return async () => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    // It makes an agent each time, which is of use only where it goes through a proxy: our own keeps connections.
    if (!proxied) delete options.agent;
    return options;
  };
}
