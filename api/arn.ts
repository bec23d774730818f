// Amazon resource names, in ECS's exact form. Off AWS the partition, region and account are names of our own.

export interface ArnScope {
  /** @default "aws" */
  partition?: string;
  /** @default "local" */
  region?: string;
  /** 12 digits: the account, which is the namespace. @default "000000000000" */
  account?: string;
}

export const DEFAULT_ACCOUNT = "000000000000";
/** On a Namespace: the 12 digits of its account (decision A4). */
export const ACCOUNT_ANNOTATION = "davit.dev/account";

/** Builds every ECS ARN. Names are ECS names, ids are 32 hex digits. */
export type Arns = ReturnType<typeof createArns>;

export function createArns({ partition = "aws", region = "local", account = DEFAULT_ACCOUNT }: ArnScope = {}) {
  const ecs = (resource: string): string => `arn:${partition}:ecs:${region}:${account}:${resource}`;
  return {
    cluster: (cluster: string) => ecs(`cluster/${cluster}`),
    taskDefinition: (family: string, revision: number) => ecs(`task-definition/${family}:${revision}`),
    service: (cluster: string, service: string) => ecs(`service/${cluster}/${service}`),
    taskSet: (cluster: string, service: string, id: string) => ecs(`task-set/${cluster}/${service}/${id}`),
    task: (cluster: string, id: string) => ecs(`task/${cluster}/${id}`),
    container: (cluster: string, taskId: string, id: string) => ecs(`container/${cluster}/${taskId}/${id}`),
    containerInstance: (cluster: string, id: string) => ecs(`container-instance/${cluster}/${id}`),
    serviceDeployment: (cluster: string, service: string, id: string) =>
      ecs(`service-deployment/${cluster}/${service}/${id}`),
    serviceRevision: (cluster: string, service: string, id: string) =>
      ecs(`service-revision/${cluster}/${service}/${id}`),
    capacityProvider: (name: string) => ecs(`capacity-provider/${name}`),
  };
}

export interface Arn {
  partition: string;
  service: string;
  region: string;
  account: string;
  /** `task`, `container-instance`, …: what stands before the first `/`; empty where there is none. */
  resourceType: string;
  /** The parts after it: `["prod", "<id>"]`, or `["<id>"]` in the form without a cluster. */
  path: readonly string[];
}

/** @returns undefined if the text is no ARN */
export function parseArn(text: string): Arn | undefined {
  const [, partition, service, region, account, resource] =
    /^arn:([^:]+):([^:]+):([^:]*):([^:]*):(.+)$/.exec(text) ?? [];
  if (partition === undefined || service === undefined || resource === undefined) return undefined;
  const [first = "", ...rest] = resource.split("/");
  const [resourceType, path] = rest.length === 0 ? ["", [first]] : [first, rest];
  return { partition, service, region: region ?? "", account: account ?? "", resourceType, path };
}

/** The id or name at the end of an ARN of either form, with or without a cluster: the last `/` part (spec/04-48).
 *  What is no ARN is an id already. */
export const resourceIdOf = (arnOrId: string): string => arnOrId.slice(arnOrId.lastIndexOf("/") + 1);

/** The id that ECS would show: an object's uid without hyphens, 32 hex digits (spec/03-57). */
export const ecsId = (uid: string): string => uid.replaceAll("-", "");

/** The uid of an id made by `ecsId`. @returns undefined if it is not 32 hex digits */
export function uidOfEcsId(id: string): string | undefined {
  const parts = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(id);
  return parts?.slice(1).join("-");
}
