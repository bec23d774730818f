// Makes or renews the object of a machine whose agent opens a session.
import { clusterNameOf, DEFAULT_CLUSTER } from "../../api/names.js";
import type { Cluster, ContainerInstance } from "../../api/types.gen.js";
import type { SyncRequest } from "../../bus/messages.js";
import { ApiError, type Ref } from "../../client/object-client.js";
import type { Deps } from "../deps.js";
import { FINALIZER, MANAGER } from "../labels.js";
import { type Refused, refusalOf, refused, registered } from "./registration.js";

export type Registered = { instance: ContainerInstance } | { refused: Refused };

export interface RegisterDeps extends Deps {
  /** The control plane's; undefined: agents of any version will do. */
  version?: string | undefined;
}

/** @returns the object with the next epoch, connected; or why the machine may not register. */
export async function register(deps: RegisterDeps, request: SyncRequest): Promise<Registered> {
  const { client, objects, arnsOf, now, world, version } = deps;
  const { namespace, instance: name } = request;
  const ref = { namespace, name };
  const cluster = clusterNameOf(request.cluster);
  const known = objects.newest("ContainerInstance", ref) ?? (await client.get("ContainerInstance", ref));
  const clusterExists = cluster === DEFAULT_CLUSTER || (await hasCluster(deps, namespace, cluster, known));
  const elsewhere = world.informers.ContainerInstance.byIndex("name", name).find(
    ({ metadata }) => metadata.namespace !== namespace,
  );
  const refusal = refusalOf(request, {
    instance: known,
    elsewhere,
    version,
    clusterExists,
    isOwed: world.unconfirmedTasks(ref).length > 0,
  });
  if (refusal) {
    if (known) await refuse(deps, ref, refusal);
    return { refused: refusal };
  }
  if (world.cluster(namespace, cluster) === undefined && cluster === DEFAULT_CLUSTER)
    await ensureDefaultCluster(client, namespace);
  if (known) await giveTags(deps, known, request);
  const arns = arnsOf(namespace);
  for (;;) {
    const instance = await objects.changeStatus("ContainerInstance", ref, (current) =>
      registered(current, request, arns, now()),
    );
    if (instance) return { instance };
    await create(deps, request, cluster);
  }
}

/** Shows on the machine's object that it was turned away. */
export async function refuse({ objects, now }: Deps, ref: Ref, refusal: Refused): Promise<void> {
  await objects.changeStatus("ContainerInstance", ref, (current) => refused(current, refusal, now()));
}

/** One that is being deleted takes no new machines, and keeps those that are still to be cleaned up. A cache may be a
 *  moment behind a cluster that was made just now. */
async function hasCluster(
  { world, client }: Deps,
  namespace: string,
  name: string,
  known: ContainerInstance | undefined,
): Promise<boolean> {
  const isIt = ({ metadata, spec }: Cluster): boolean => (spec.clusterName ?? metadata.name) === name;
  const cluster = world.cluster(namespace, name) ?? (await client.list("Cluster", { namespace })).items.find(isIt);
  const isNew = known === undefined || known.status?.status === "INACTIVE";
  return cluster !== undefined && (!isNew || cluster.metadata.deletionTimestamp === undefined);
}

async function create(deps: Deps, request: SyncRequest, cluster: string): Promise<void> {
  const { namespace, instance: name, tags = [] } = request;
  try {
    const made = await deps.client.create(
      "ContainerInstance",
      {
        apiVersion: "davit.dev/v1",
        kind: "ContainerInstance",
        metadata: { namespace, name, finalizers: [FINALIZER.instance] },
        spec: { cluster, status: "ACTIVE", ...(tags.length > 0 && { tags }) },
      },
      { fieldManager: MANAGER },
    );
    deps.objects.wrote("ContainerInstance", made);
  } catch (error) {
    if (!isThere(error)) throw error;
  }
}

/** Those of the first registration, where its object was made before: when it joined. */
async function giveTags({ client, objects }: Deps, known: ContainerInstance, { tags }: SyncRequest): Promise<void> {
  if (!tags?.length || known.spec.tags?.length || known.status?.registeredAt !== undefined) return;
  const { metadata } = known;
  const given = await client.patch("ContainerInstance", metadata, { spec: { tags } }, { fieldManager: MANAGER });
  objects.wrote("ContainerInstance", given);
}

const isThere = (error: unknown): boolean => error instanceof ApiError && error.reason === "AlreadyExists";

async function ensureDefaultCluster(client: Deps["client"], namespace: string): Promise<void> {
  try {
    const metadata = { namespace, name: DEFAULT_CLUSTER };
    await client.create("Cluster", { apiVersion: "davit.dev/v1", kind: "Cluster", metadata, spec: {} });
  } catch (error) {
    if (!isThere(error)) throw error;
  }
}
