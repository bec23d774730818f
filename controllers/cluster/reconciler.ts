// A cluster's status and counters (spec/09 §2.1), at most once a second; and its deletion.
import { clusterNameOf, clusterNameOfObject } from "../../api/names.js";
import { parseKey } from "../../api/references.js";
import type { Cluster } from "../../api/types.gen.js";
import { ApiError, type ObjectClient } from "../../client/object-client.js";
import { again, done } from "../../client/work-queue.js";
import type { Deps, Reconcile } from "../deps.js";
import { FINALIZER, MANAGER } from "../labels.js";
import { createPace } from "../pace.js";
import { inParallel } from "../parallel.js";
import { clusterCounts, type Held } from "./counts.js";
import { type ClusterDeletion, isDeleting, needsFinalizer, planDeletion, releasedFinalizers } from "./deletion.js";
import { type ClusterFacts, clusterStatus } from "./status.js";
import type { TaskTally } from "./tally.js";

const STATUS_GAP_MS = 1_000;
const WRITER = { fieldManager: MANAGER };

export function createClusterReconciler(deps: Deps, tally: TaskTally): Reconcile {
  const { world, objects, now, arnsOf } = deps;
  const pace = createPace(now);
  return async (key, client) => {
    const ref = parseKey(key);
    const cluster = world.informers.Cluster.get(ref);
    if (cluster === undefined) return done();
    if (needsFinalizer(cluster)) {
      const finalizers = [...(cluster.metadata.finalizers ?? []), FINALIZER.cluster];
      await client.patch("Cluster", ref, { metadata: { finalizers } }, WRITER);
    }
    const held = heldBy(deps, cluster, tally);
    const deletion = isDeleting(cluster) ? planDeletion(cluster, held) : undefined;
    if (deletion && deletion.waitsFor === undefined) {
      await client.patch("Cluster", ref, { metadata: { finalizers: releasedFinalizers(cluster) } }, WRITER);
      return done();
    }
    if (deletion) await clear(client, deletion);
    const waitMs = pace.wait(key);
    if (waitMs > 0) return again(waitMs);
    const facts: ClusterFacts = {
      counts: clusterCounts(held),
      arns: arnsOf(ref.namespace),
      nowMs: now(),
      ...(deletion?.waitsFor && { waitsFor: deletion.waitsFor }),
    };
    if (clusterStatus(objects.newest("Cluster", ref) ?? cluster, facts) === undefined) return done();
    pace.did(key, STATUS_GAP_MS);
    await objects.changeStatus("Cluster", ref, (current) => clusterStatus(current, facts), client);
    return done();
  };
}

function heldBy({ world }: Deps, cluster: Cluster, tally: TaskTally): Held {
  const { namespace, name: objectNamed } = cluster.metadata;
  const name = clusterNameOfObject(cluster);
  return {
    services: world.servicesOfCluster(namespace, name),
    instances: world.informers.ContainerInstance.list(namespace).filter(
      ({ spec }) => clusterNameOf(spec.cluster) === name,
    ),
    tasks: tally.of(`${namespace}/${objectNamed}`),
  };
}

/** Deletes and deregisters what is to go along with a cluster. */
async function clear(client: ObjectClient, { services, instances }: ClusterDeletion): Promise<void> {
  await inParallel(services, ({ metadata }) => unlessGone(client.delete("Service", metadata, { uid: metadata.uid })));
  await inParallel(instances, ({ metadata }) =>
    unlessGone(client.patch("ContainerInstance", metadata, { spec: { deregister: "Force" } }, WRITER)),
  );
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ApiError && (error.code === 404 || error.code === 409))) throw error;
  }
}
