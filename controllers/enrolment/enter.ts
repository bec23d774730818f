// The objects of a machine that has been let in.
import { createArns } from "../../api/arn.js";
import { DEFAULT_CLUSTER, objectName } from "../../api/names.js";
import type { JoinRequest } from "../../bus/enrolment.js";
import type { InstanceId } from "../../bus/messages.js";
import type { ObjectClient } from "../../client/object-client.js";
import { type Admitted, keyRevoked } from "./decide.js";
import type { EnrolmentDeps } from "./enrolment.js";
import { refusalError } from "./refusal.js";
import { joinedSpec, joinedStatus } from "./status.js";
import { isGone, isLostRace, isThere, MANAGED, MAX_ATTEMPTS } from "./writes.js";

/** Makes the machine's object, or brings it up to date. Its former key is revoked before the new one is good. */
export async function enter(
  { client, revoke, now, credentialMs }: EnrolmentDeps,
  ref: { namespace: string; name: InstanceId },
  { cluster }: Admitted,
  request: JoinRequest,
  expiresAtMs: number,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      let instance = await client.get("ContainerInstance", ref);
      if (instance === undefined) {
        const status = {
          ...joinedStatus({ metadata: {} }, request, expiresAtMs, now()),
          containerInstanceArn: createArns().containerInstance(cluster, ref.name),
        };
        const spec = { cluster, status: "ACTIVE" as const };
        const made = { apiVersion: "davit.dev/v1", kind: "ContainerInstance", metadata: ref, spec, status } as const;
        await client.create("ContainerInstance", made, MANAGED);
        return;
      }
      const { publicKey, credentialExpiresAt } = instance.status ?? {};
      // Since the decision: the administrator's later word counts.
      if (instance.spec.revoked && publicKey === request.publicKey) throw refusalError(keyRevoked(ref.name).refused);
      if (publicKey !== undefined && publicKey !== request.publicKey)
        await revoke(publicKey, credentialExpiresAt ? Date.parse(credentialExpiresAt) : now() + credentialMs);
      const spec = joinedSpec(instance, cluster);
      if (spec !== undefined) instance = await client.update("ContainerInstance", { ...instance, spec }, MANAGED);
      const status = joinedStatus(instance, request, expiresAtMs, now());
      await client.updateStatus("ContainerInstance", { ...instance, status }, MANAGED);
      return;
    } catch (error) {
      // It may also have gone: an hour after it had left, just now.
      if (!(isLostRace(error) || isThere(error) || isGone(error)) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

export async function createCluster(client: ObjectClient, namespace: string, cluster: string): Promise<void> {
  const name = objectName(cluster);
  const spec = name === cluster || cluster === DEFAULT_CLUSTER ? {} : { clusterName: cluster };
  try {
    await client.create(
      "Cluster",
      { apiVersion: "davit.dev/v1", kind: "Cluster", metadata: { namespace, name }, spec },
      MANAGED,
    );
  } catch (error) {
    if (!isThere(error)) throw error;
  }
}
