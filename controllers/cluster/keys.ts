import { clusterNameOf, objectName } from "../../api/names.js";

/** `<namespace>/<cluster>`, by the cluster's ECS name, from what a `cluster` field holds. */
export const clusterKey = (namespace: string, cluster: string | undefined): string =>
  `${namespace}/${clusterNameOf(cluster)}`;

/** `<namespace>/<metadata.name>` of the Cluster object that a `cluster` field means. */
export const clusterObjectKey = (namespace: string, cluster: string | undefined): string =>
  `${namespace}/${objectName(clusterNameOf(cluster))}`;
