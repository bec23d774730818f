import { type Command, Option } from "commander";
import { deletionRank } from "../api/deletion-order.js";
import type { ApiObject } from "../api/meta.js";
import { ApiError, isDeletionDenied } from "../client/object-client.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { parseTargets, resolve } from "./api/names.js";
import { fetchList, fetchObject, waitForObjects } from "./api/objects.js";
import { pathOf, type Resource } from "./api/resources.js";
import { seconds } from "./arguments.js";
import { EXIT, Failure, messageOf, UsageError } from "./failure.js";
import { printObjects } from "./output/format.js";

interface Options extends ApiOptions {
  filename?: string[];
  all?: boolean;
  selector?: string;
  ignoreNotFound?: boolean;
  cascade?: boolean;
  wait: boolean;
  timeout: number;
  output?: "name";
}

interface Doomed {
  resource: Resource;
  object: ApiObject;
}

export function define(command: Command): void {
  command
    .argument("[kind...]", "KIND NAME…, or KIND/NAME…")
    .option("-f, --filename <FILE...>", "what these files or folders declare (- for standard input)")
    .option("--all", "every object of the KIND in the namespace")
    .option("-l, --selector <LABELS>", "those of the KIND with these labels")
    .option("--ignore-not-found", "what is not there is no error")
    .option("--cascade", "a cluster: with its services, and its machines deregistered by force")
    .option("--wait", "until they are gone (the default)", true)
    .option("--no-wait", "do not wait until they are gone")
    .option("--timeout <SECONDS>", "how long to wait", seconds, 120)
    .addHelpText(
      "after",
      `
A deleted service stops its tasks. A deleted task definition only deregisters: what runs keeps running.
A cluster is not deleted while it holds services or machines, unless --cascade says to take them along.

Examples:
  $ davit delete service web
  $ davit delete -f manifests/quickstart/
  $ davit delete tasks --all
  $ davit delete cluster staging --cascade`,
    )
    .action((args: string[], options: Options) => withApi(options, (api) => remove(api, args, options)));
  withApiOptions(command).addOption(new Option("-o, --output <FORMAT>", "name").choices(["name"]));
}

async function remove(api: Api, args: string[], options: Options): Promise<void> {
  const missing: string[] = [];
  const doomed = options.filename
    ? await inFiles(api, options.filename, options, missing)
    : await named(api, args, options, missing);
  const going: Doomed[] = [];
  for (const one of inOrder(doomed)) {
    try {
      await ask(api, one, options);
    } catch (error) {
      if (!isDeletionDenied(error)) throw error;
      missing.push(messageOf(error));
      continue;
    }
    going.push(one);
    await printObjects(one.resource, [one.object], options.output, "deleted");
  }
  for (const message of missing) process.stderr.write(`davit: ${message}\n`);
  if (missing.length > 0) process.exitCode = EXIT.failed;
  if (options.wait) for (const one of going) await waitUntilGone(api, one, options.timeout * 1000);
}

/** What holds others goes after them. */
const inOrder = (doomed: readonly Doomed[]): Doomed[] =>
  doomed.toSorted((a, b) => deletionRank(a.object.kind) - deletionRank(b.object.kind));

/** @throws ApiError where other objects stand in the way */
async function ask(api: Api, { resource, object }: Doomed, { cascade }: Options): Promise<void> {
  const body = {
    apiVersion: "v1",
    kind: "DeleteOptions",
    propagationPolicy: cascade ? "Foreground" : "Background",
    preconditions: { uid: object.metadata.uid },
  };
  const { namespace, name } = object.metadata;
  await api.call(pathOf(resource, namespace, name), { method: "DELETE", body }).catch(ignoreGone);
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof ApiError) || error.code !== 404) throw error;
}

/** @param missing what can't be deleted, and why: it keeps nothing else from being deleted */
async function named(api: Api, args: string[], options: Options, missing: string[]): Promise<Doomed[]> {
  const targets = parseTargets(args);
  const doomed: Doomed[] = [];
  for (const { resource, name } of targets) {
    if (name !== undefined) {
      const object = await resolve(api, resource, options.namespace, name).catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error;
        if (!options.ignoreNotFound || !error.message.startsWith("there is no")) missing.push(error.message);
        return undefined;
      });
      if (object) doomed.push({ resource, object });
    } else if (options.all || options.selector) {
      const { items } = await fetchList(api, resource, options.namespace, options.selector);
      doomed.push(...items.map((object) => ({ resource, object })));
    } else throw new UsageError(`name the ${resource.plural} to delete, or say --all.`);
  }
  return doomed;
}

async function inFiles(api: Api, files: string[], options: Options, missing: string[]): Promise<Doomed[]> {
  const { loadManifests } = await import("./manifests.js");
  const { findResourceOfKind } = await import("./api/resources.js");
  const { documents, errors } = await loadManifests(files, options.namespace);
  missing.push(...errors);
  const doomed: Doomed[] = [];
  for (const { manifest } of documents.toReversed()) {
    const resource = findResourceOfKind(manifest.kind);
    const { name, namespace = options.namespace } = manifest.metadata;
    const object = resource && (await fetchObject(api, resource, namespace, name));
    if (resource && object) doomed.push({ resource, object });
    else if (!options.ignoreNotFound) missing.push(`there is no ${manifest.kind} ${name} in namespace ${namespace}.`);
  }
  return doomed;
}

async function waitUntilGone(api: Api, { resource, object }: Doomed, timeoutMs: number): Promise<void> {
  const { name, namespace, uid } = object.metadata;
  await waitForObjects(
    { api, resource, namespace, timeoutMs },
    (objects) => (objects.get(name)?.metadata.uid === uid ? undefined : true),
    () =>
      new Failure(
        `${resource.singular} ${name} is still going after ${timeoutMs / 1000} s; look at \`davit describe ${resource.singular}/${name}\`.`,
      ),
  );
}
