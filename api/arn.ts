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

/** The id or name at the end of an ARN of either form, with or without a cluster: the last `/` part (spec/04-48).
 *  What is no ARN is taken for a name, as it stands. */
export const resourceIdOf = (arnOrName: string): string =>
  arnOrName.startsWith("arn:") ? arnOrName.slice(arnOrName.lastIndexOf("/") + 1) : arnOrName;

/** The id that ECS would show: an object's uid without hyphens, 32 hex digits (spec/03-57). */
export const ecsId = (uid: string): string => uid.replaceAll("-", "");
