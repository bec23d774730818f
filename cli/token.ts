import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type Command, Option } from "commander";
import { formatToken, hashOfSecret } from "../api/access-token.js";
import { DEFAULT_CLUSTER, objectName } from "../api/names.js";
import type { AccessToken } from "../api/types.gen.js";
import { kubeconfig } from "../apiserver/kubeconfig.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, connectionOf, withApi, withApiOptions } from "./api/connect.js";
import { resolve } from "./api/names.js";
import { fetchList, fetchObject } from "./api/objects.js";
import { findResource, pathOf } from "./api/resources.js";
import { durationMs } from "./arguments.js";
import { ADDRESS_PATH, type Address } from "./enrolment/address.js";
import { Failure, UsageError } from "./failure.js";
import { age, columns } from "./output/columns.js";
import { print } from "./output/terminal.js";
import { writeWhole } from "./supervisor/data-folder.js";

interface CreateOptions extends ApiOptions {
  ttl?: number;
  cluster?: string;
  createCluster?: boolean;
  role?: "admin" | "deployer" | "viewer";
  writeKubeconfig?: string;
}

const JOIN_TTL_MS = 60 * 60_000;
const USER_TTL_MS = 30 * 24 * 60 * 60_000;

export function define(command: Command): void {
  const create = command
    .command("create")
    .description(
      "Without --role: prints the one line that makes another machine join, which is good once. " +
        "With --role: prints a token for a person or a program. The token itself is kept nowhere.",
    )
    .option("--ttl <TIME>", "how long it is good: 90s, 15m, 1h, 30d (default: 1h to join, 30d with --role)", durationMs)
    .option("--cluster <C>", "the cluster that the machine joins (default: default)")
    .option("--create-cluster", "joining may make that cluster")
    .addOption(
      new Option("--role <ROLE>", "admin: everything; deployer: reads all, writes what runs; viewer: reads").choices([
        "admin",
        "deployer",
        "viewer",
      ]),
    )
    .option("--write-kubeconfig <F>", "with --role: write a kubeconfig with it, and print no token")
    .addHelpText(
      "after",
      `
Examples:
  $ davit token create                                   then type what it prints on the other machine
  $ davit token create --cluster edge --create-cluster --ttl 15m
  $ davit token create --role viewer --write-kubeconfig vera.yaml`,
    )
    .action((options: CreateOptions) => withApi(options, (api) => createToken(api, options)));
  const list = command
    .command("list")
    .description("Which tokens there are, what they are good for, and who joined with them.")
    .action((options: ApiOptions) => withApi(options, (api) => listTokens(api, options)));
  const remove = command
    .command("delete")
    .description("Takes tokens back. Machines that have joined stay: `davit instance revoke` is for them.")
    .argument("<name...>", "as `davit token list` shows them, or a unique beginning")
    .action((names: string[], options: ApiOptions) => withApi(options, (api) => deleteTokens(api, names, options)));
  for (const each of [create, list, remove]) withApiOptions(each);
}

const resource = findResource("accesstoken");

async function createToken(api: Api, options: CreateOptions): Promise<void> {
  const { role, cluster, createCluster, writeKubeconfig, namespace } = options;
  if (role !== undefined && (cluster !== undefined || createCluster))
    throw new UsageError("--cluster and --create-cluster are for joining, --role is for people: leave one out.");
  if (role === undefined && writeKubeconfig !== undefined)
    throw new UsageError("--write-kubeconfig needs --role: a machine joins without a kubeconfig.");
  if (writeKubeconfig !== undefined && existsSync(writeKubeconfig))
    throw new Failure(`${writeKubeconfig} is there already: name another file, or remove it.`);
  const address = (await api.call(ADDRESS_PATH)) as Address;
  const name = `${role ?? "join"}-${randomBytes(4).toString("hex")}`;
  const secret = randomBytes(32).toString("base64url");
  const ttlMs = options.ttl ?? (role === undefined ? JOIN_TTL_MS : USER_TTL_MS);
  const expiresAt = `${new Date(Date.now() + ttlMs).toISOString().slice(0, 19)}Z`;
  const purpose = role === undefined ? { use: "Join", cluster, createCluster } : { use: "User", role };
  await api.call(`${pathOf(resource, namespace)}?fieldManager=davit-token`, {
    method: "POST",
    body: {
      apiVersion: "davit.dev/v1",
      kind: "AccessToken",
      metadata: { name, namespace },
      spec: { ...purpose, hash: hashOfSecret(secret), expiresAt },
    },
  });
  if (role === undefined) await printJoin(api, options, address, { name, secret, expiresAt });
  else await printUser(options, address, formatToken({ name, secret }), expiresAt);
}

async function printJoin(
  api: Api,
  { namespace, cluster = DEFAULT_CLUSTER, createCluster }: CreateOptions,
  { api: server, caFingerprint, loopback }: Address,
  { name, secret, expiresAt }: { name: string; secret: string; expiresAt: string },
): Promise<void> {
  print(`davit join ${server} --token ${formatToken({ name, secret, caFingerprint })}`);
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  say(`Type this on the machine that is to join cluster ${cluster}, once, before ${expiresAt}.`);
  if (loopback)
    say(
      "This Davit listens on its own machine only, so the line works only there: for other machines, start it with `davit up --bind 0.0.0.0`, and make another token.",
    );
  const isThere = createCluster || (await fetchObject(api, findResource("cluster"), namespace, objectName(cluster)));
  if (!isThere) say(`There is no cluster ${cluster} yet: apply one before, or make the token with --create-cluster.`);
}

async function printUser(
  options: CreateOptions,
  { api: server }: Address,
  token: string,
  expiresAt: string,
): Promise<void> {
  const { role, namespace, writeKubeconfig } = options;
  const { ca = "" } = await connectionOf(options);
  if (writeKubeconfig !== undefined) {
    writeWhole(writeKubeconfig, kubeconfig({ server, ca, token, namespace }));
    return print(
      `${writeKubeconfig} lets in as ${role} until ${expiresAt}: \`davit status --kubeconfig ${writeKubeconfig}\``,
    );
  }
  print(token);
  process.stderr.write(
    `Good as ${role} at ${server} until ${expiresAt}, as \`Authorization: Bearer TOKEN\` or \`kubectl --token TOKEN\`. ` +
      "With --write-kubeconfig FILE it comes as a kubeconfig.\n",
  );
}

async function listTokens(api: Api, { namespace }: ApiOptions): Promise<void> {
  const { items } = await fetchList(api, resource, namespace);
  const nowMs = Date.now();
  const rows = (items as AccessToken[]).map(({ metadata, spec, status }) => [
    metadata.name,
    spec.use === "Join"
      ? `join ${spec.cluster ?? DEFAULT_CLUSTER}${spec.createCluster ? " (may make it)" : ""}`
      : `${spec.role}`,
    stateOf({ spec, status }, nowMs),
    age(metadata.creationTimestamp, nowMs),
  ]);
  if (rows.length === 0) return print(`There are no tokens in namespace ${namespace}.`);
  print(columns(["NAME", "FOR", "STATE", "AGE"], rows));
}

function stateOf({ spec, status }: Pick<AccessToken, "spec" | "status">, nowMs: number): string {
  if (status?.usedBy !== undefined) return `used by ${status.usedBy}`;
  return Date.parse(spec.expiresAt) <= nowMs ? `expired ${spec.expiresAt}` : `good until ${spec.expiresAt}`;
}

async function deleteTokens(api: Api, names: readonly string[], { namespace }: ApiOptions): Promise<void> {
  for (const typed of names) {
    const { metadata } = await resolve(api, resource, namespace, typed);
    await api.call(pathOf(resource, namespace, metadata.name), { method: "DELETE" });
    print(`${resource.qualified}/${metadata.name} deleted`);
  }
}
