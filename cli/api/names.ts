// Which object a person means: exact name, ECS name, hostname, task id, or any unique beginning of one of them.
import { ecsId, resourceIdOf } from "../../api/arn.js";
import type { ApiObject } from "../../api/meta.js";
import { Failure, UsageError } from "../failure.js";
import type { Api } from "./api.js";
import { fetchList, fetchObject } from "./objects.js";
import { findResource, type Resource } from "./resources.js";

export interface Target {
  resource: Resource;
  name?: string;
}

/** `KIND`, `KIND,KIND`, `KIND NAME…`, `KIND/NAME…` to what each means. @throws UsageError */
export function parseTargets(args: readonly string[]): Target[] {
  const [first, ...rest] = args;
  if (first === undefined) throw new UsageError("name a KIND, or KIND/NAME.");
  if (args.some((arg) => arg.includes("/") && !arg.startsWith("arn:"))) return args.map(parseSlashed);
  if (rest.length === 0 && first.includes(","))
    return first.split(",").map((kind) => ({ resource: findResource(kind) }));
  const resource = findResource(first);
  return rest.length === 0 ? [{ resource }] : rest.map((name) => ({ resource, name }));
}

function parseSlashed(arg: string): Target {
  const slash = arg.indexOf("/");
  if (slash < 1 || slash === arg.length - 1)
    throw new UsageError(
      `${JSON.stringify(arg)} is no KIND/NAME (write them all as KIND/NAME, or one KIND and its NAMEs).`,
    );
  return { resource: findResource(arg.slice(0, slash)), name: arg.slice(slash + 1) };
}

/** The names under which an object may be asked for, best first. */
function namesOf(object: ApiObject): string[] {
  const spec = record(object.spec);
  const status = record(object.status);
  const names = [object.metadata.name];
  if (object.kind === "Task") names.push(ecsId(object.metadata.uid), object.metadata.uid);
  if (object.kind === "Service") names.push(...strings(spec.serviceName));
  if (object.kind === "Cluster") names.push(...strings(spec.clusterName));
  if (object.kind === "ContainerInstance")
    names.push(...strings(status.hostname), ...strings(status.ec2InstanceId), ecsId(object.metadata.uid));
  if (object.kind.startsWith("TaskDefinition")) {
    const [family] = strings(spec.family);
    const revision = spec.revision;
    if (family !== undefined) names.push(typeof revision === "number" ? `${family}:${revision}` : family);
  }
  return names;
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
const strings = (value: unknown): string[] => (typeof value === "string" ? [value] : []);

/** The one object that `typed` means among `objects`; a list if it means several. Pure. */
export function match(typed: string, objects: readonly ApiObject[]): readonly ApiObject[] {
  // An ARN counts by its last part: the resource's own name or id.
  const wanted = resourceIdOf(typed);
  const exact = objects.filter((object) => namesOf(object).includes(wanted));
  return exact.length > 0 ? exact : objects.filter((object) => namesOf(object).some((name) => name.startsWith(wanted)));
}

/** @throws Failure when no object, or more than one, is meant */
export async function resolve(api: Api, resource: Resource, namespace: string, typed: string): Promise<ApiObject> {
  if (/^[a-z0-9.-]+$/.test(typed)) {
    const exact = await fetchObject(api, resource, namespace, typed);
    if (exact) return exact;
  }
  const all = match(typed, (await fetchList(api, resource, namespace)).items);
  // A machine that has left is still there for a while; one that is at work is meant first.
  const atWork = all.filter(({ status }) => record(status).status !== "INACTIVE");
  const found = atWork.length > 0 ? atWork : all;
  const [only, second] = found;
  if (only && !second) return only;
  if (!only) throw new Failure(`there is no ${resource.singular} ${JSON.stringify(typed)} in namespace ${namespace}.`);
  const candidates = found
    .slice(0, 10)
    .map(({ metadata }) => metadata.name)
    .join(", ");
  throw new Failure(
    `${JSON.stringify(typed)} fits ${found.length} ${resource.plural}: ${candidates}${found.length > 10 ? ", …" : ""}. Type more of the name.`,
  );
}
