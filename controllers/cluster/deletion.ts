// How a cluster goes. Davit's own API server lets only an empty one be deleted, or one that takes along what it holds
// (Foreground); on a Kubernetes server, which cannot refuse, the finalizer keeps it for as long. Pure.
import { getCondition } from "../../api/conditions.js";
import type { Cluster, ContainerInstance, Service } from "../../api/types.gen.js";
import { FINALIZER } from "../labels.js";
import { type Held, isActiveService } from "./counts.js";

/** Kubernetes' own: a deletion with propagationPolicy Foreground sets it. A Kubernetes server takes it off again when
 *  no owner reference needs it, so that the condition remembers. */
const FOREGROUND = "foregroundDeletion";

export const CASCADING = "Cascading";

export interface ClusterDeletion {
  /** To delete. */
  services: readonly Service[];
  /** To deregister by force. */
  instances: readonly ContainerInstance[];
  /** What must be gone first. Undefined: the cluster goes now. */
  waitsFor?: { reason: "Cascading" | "InUse"; message: string };
}

export const isDeleting = ({ metadata }: Cluster): boolean => metadata.deletionTimestamp !== undefined;

export const needsFinalizer = (cluster: Cluster): boolean =>
  !isDeleting(cluster) && !cluster.metadata.finalizers?.includes(FINALIZER.cluster);

/** Without those that this controller answers for. */
export const releasedFinalizers = ({ metadata }: Cluster): string[] =>
  (metadata.finalizers ?? []).filter((name) => name !== FINALIZER.cluster && name !== FOREGROUND);

export function planDeletion(cluster: Cluster, { services, instances }: Omit<Held, "tasks">): ClusterDeletion {
  const cascades =
    cluster.metadata.finalizers?.includes(FOREGROUND) === true ||
    getCondition(cluster.status?.conditions, "Ready")?.reason === CASCADING;
  const there = instances.filter(({ status }) => status?.status !== "INACTIVE");
  const active = services.filter(isActiveService);
  // What was asked to go along is waited for to its end.
  const awaited = cascades ? services : active;
  const parts = [...phrase(awaited.length, "service"), ...phrase(there.length, "container instance")];
  return {
    services: cascades ? active : [],
    instances: cascades
      ? there.filter(({ spec, metadata }) => spec.deregister === undefined && metadata.deletionTimestamp === undefined)
      : [],
    ...(parts.length > 0 && {
      waitsFor: {
        reason: cascades ? CASCADING : "InUse",
        message: `The cluster is being deleted, and waits until ${parts.join(" and ")} ${awaited.length + there.length === 1 ? "is" : "are"} gone.`,
      },
    }),
  };
}

const phrase = (count: number, what: string): string[] =>
  count === 0 ? [] : [`${count} ${what}${count === 1 ? "" : "s"}`];
