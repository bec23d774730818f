import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { ApiObject, Condition } from "../api/meta.js";
import type { Service, Task, TaskDefinition } from "../api/types.gen.js";
import { whyStopped } from "../api/why-stopped.js";
import { ApiError, type MergePatch } from "../client/object-client.js";
import { type ApplyClient, applyObject } from "../gitops/apply.js";
import type { Manifest } from "../gitops/last-applied.js";
import { pinRevision, Unresolved } from "../gitops/pinned-revision.js";
import type { LoadedObject } from "../gitops/plan.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { followedRevision, isBehind } from "./api/followed-revision.js";
import { fetchObject, waitForObjects } from "./api/objects.js";
import { findResource, findResourceOfKind, pathOf, type Resource } from "./api/resources.js";
import { seconds } from "./arguments.js";
import { EXIT, Failure } from "./failure.js";
import { loadManifests } from "./manifests.js";
import { listOf, type ObjectFormat, printObjects, serialize, withObjectOutput } from "./output/format.js";
import { print, progress } from "./output/terminal.js";
import { hasFailed } from "./run/waits.js";

interface Options extends ApiOptions {
  filename: string[];
  output?: ObjectFormat;
  wait?: boolean;
  timeout: number;
}

export function define(command: Command): void {
  command
    .description(
      "Applies YAML manifests, or bare ECS JSON (also as `aws ecs describe-task-definition` and `describe-services` " +
        "print it). What is new is created; what is there is changed to what the file says, and what others set is kept.",
    )
    .requiredOption("-f, --filename <FILE...>", "files, folders (with all below them), or - for standard input")
    .option("--wait", "until all of it is Ready")
    .option("--timeout <SECONDS>", "how long --wait may take", seconds, 300)
    .addHelpText(
      "after",
      `
An error names the file, the document and the field; nothing of that document is applied, and the exit code is 1.

Examples:
  $ davit apply -f manifests/quickstart/ --wait
  $ davit apply -f task-definition.json
  $ aws ecs describe-task-definition --task-definition web | davit apply -f -`,
    )
    .action((options: Options) => withApi(options, (api) => apply(api, options)));
  withApiOptions(withObjectOutput(command));
}

async function apply(api: Api, options: Options): Promise<void> {
  const { documents, errors, notes } = await loadManifests(options.filename, options.namespace);
  for (const note of notes) process.stderr.write(`Note: ${note}\n`);
  if (documents.length === 0 && errors.length === 0)
    throw new Failure(`there is nothing to apply in ${options.filename.join(", ")}.`);
  const batch = randomBytes(8).toString("hex");
  const applied: ApiObject[] = [];
  for (const document of documents) {
    const object = await applyOne(api, document, batch, options.output).catch((error: unknown) => {
      if (!(error instanceof ApiError || error instanceof Failure)) throw error;
      errors.push(`${document.where}: ${error.message}`);
      return undefined;
    });
    if (object) applied.push(object);
  }
  if (options.output === "json" || options.output === "yaml") print(await serialize(listOf(applied), options.output));
  for (const error of errors) process.stderr.write(`davit: ${error}\n`);
  if (errors.length > 0) process.exitCode = EXIT.failed;
  else if (options.wait) await waitUntilReady(api, applied, options.timeout * 1000);
}

async function applyOne(
  api: Api,
  { manifest, where, restart }: LoadedObject,
  batch: string,
  output: ObjectFormat | undefined,
): Promise<ApiObject> {
  const resource = findResourceOfKind(manifest.kind);
  if (!resource)
    throw new Failure(
      `kind: there is no kind ${JSON.stringify(manifest.kind)} here (\`davit skeleton KIND\` prints one to start from).`,
    );
  const wanted = await withRevision(api, manifest);
  const { outcome, object } = await applyObject(overHttp(api, resource), wanted, { batch });
  if (restart && outcome !== "created") await restartService(api, resource, wanted);
  for (const warning of api.takeWarnings()) process.stderr.write(`Warning: ${where}: ${warning}\n`);
  if (output === undefined || output === "name")
    await printObjects(resource, [object], output, `${outcome}${restart ? ", with a new deployment" : ""}`);
  return object;
}

/** How long a task definition of the same apply may take to be registered. */
const REGISTERED_WITHIN_MS = 10_000;

async function withRevision(api: Api, manifest: Manifest): Promise<Manifest> {
  const resource = findResource("taskdefinition");
  const lookup = {
    definition: async (namespace: string, name: string) =>
      (await fetchObject(api, resource, namespace, name)) as TaskDefinition | undefined,
  };
  for (const deadline = performance.now() + REGISTERED_WITHIN_MS; ; await sleep(100)) {
    try {
      return await pinRevision(manifest, undefined, lookup);
    } catch (error) {
      if (!(error instanceof Unresolved)) throw error;
      if (performance.now() > deadline || error.message.includes("there is no")) throw new Failure(error.message);
    }
  }
}

/** What `forceNewDeployment` asks for: a command, so it is done once and is no part of what was applied. */
async function restartService(api: Api, resource: Resource, { metadata }: Manifest): Promise<void> {
  await api.call(`${pathOf(resource, metadata.namespace ?? "default", metadata.name)}?${MANAGER}`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: { metadata: { annotations: { [RESTARTED_AT]: new Date().toISOString() } } },
  });
}

/** A service with another value here gets a new deployment. */
const RESTARTED_AT = "davit.dev/restartedAt";
const MANAGER = "fieldManager=davit-apply&fieldValidation=Strict";

function overHttp(api: Api, resource: Resource): ApplyClient {
  const at = ({ metadata: { namespace = "default", name } }: Manifest) => ({ namespace, name });
  return {
    get: (manifest) => fetchObject(api, resource, at(manifest).namespace, at(manifest).name),
    create: async (manifest) =>
      (await api.call(`${pathOf(resource, at(manifest).namespace)}?${MANAGER}`, {
        method: "POST",
        body: manifest,
      })) as ApiObject,
    patch: async (manifest: Manifest, patch: MergePatch) =>
      (await api.call(`${pathOf(resource, at(manifest).namespace, at(manifest).name)}?${MANAGER}`, {
        method: "PATCH",
        contentType: "application/merge-patch+json",
        body: patch,
      })) as ApiObject,
  };
}

/** Until `Ready=True` of what was applied, as it was applied. */
async function waitUntilReady(api: Api, applied: readonly ApiObject[], timeoutMs: number): Promise<void> {
  const waiting = progress();
  const deadline = performance.now() + timeoutMs;
  for (const each of applied) {
    const { kind, metadata } = each;
    const resource = findResourceOfKind(kind);
    // A namespace is ready when it is there.
    if (!resource?.namespaced) continue;
    const { name, namespace, generation } = metadata;
    const followed =
      kind === "Service"
        ? await followedRevision(api, each as Service, Math.max(0, deadline - performance.now()))
        : undefined;
    let why = "it has not been seen yet";
    await waitForObjects(
      { api, resource, namespace, timeoutMs: Math.max(0, deadline - performance.now()) },
      (objects) => {
        const object = objects.get(name);
        if (!object) throw new Failure(`${resource.singular} ${name} is gone.`);
        const ready = readiness(object, generation, followed);
        if (ready === true) return true;
        why = ready;
        waiting.show(`${resource.singular} ${name}: ${why}`);
        return undefined;
      },
      () => new Failure(`${resource.singular} ${name} is not Ready after ${timeoutMs / 1000} s: ${why}`),
    );
  }
  waiting.done();
}

/** true, or what it waits for. A task that has run to its end well is as ready as it gets.
 *  @throws Failure for one that has ended otherwise: it will never be Ready */
function readiness(object: ApiObject, generation: number, followed: string | undefined): true | string {
  const { status } = object;
  const { conditions, observedGeneration } = (status ?? {}) as {
    conditions?: Condition[];
    observedGeneration?: number;
  };
  if (!status) return "it has not been seen yet";
  if (observedGeneration !== undefined && observedGeneration < generation) return "the change has not been seen yet";
  if (object.kind === "Task" && (object as Task).status?.lastStatus === "STOPPED") {
    if (hasFailed(object as Task))
      throw new Failure(`task ${object.metadata.name} has failed: ${whyStopped((object as Task).status ?? {})}`);
    return true;
  }
  const ready = conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True")
    return isBehind(object as Service, followed) ? `the new revision ${followed} has not been seen yet` : true;
  return ready ? [ready.reason, ready.message].filter(Boolean).join(": ") : "it has no condition Ready yet";
}
