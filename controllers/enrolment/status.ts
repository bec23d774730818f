// A machine's object as joining leaves it. Pure.
import { setCondition } from "../../api/conditions.js";
import type { ContainerInstance, ContainerInstanceSpec, ContainerInstanceStatus } from "../../api/types.gen.js";
import type { JoinRequest } from "../../bus/enrolment.js";

/** A fresh token is the administrator's word: it takes a revocation back, and a machine that had left begins anew.
 *  undefined if there is nothing to change. */
export function joinedSpec({ spec, status }: ContainerInstance, cluster: string): ContainerInstanceSpec | undefined {
  const { revoked, ...rest } = spec;
  if (status?.status !== "INACTIVE") return revoked === undefined ? undefined : rest;
  const { status: _, drainAt, deregister, ...kept } = rest;
  return { ...kept, cluster, status: "ACTIVE" };
}

/** REGISTERING until the first sync; one that is there already keeps its state, and what its tasks hold. */
export function joinedStatus(
  { metadata, status = {} }: Pick<ContainerInstance, "status"> & { metadata: { generation?: number } },
  request: JoinRequest,
  expiresAtMs: number,
  nowMs: number,
): ContainerInstanceStatus {
  const { deregisteredAt, statusReason, disconnectedAt, registeredAt, ...rest } = status;
  const there = status.status === "ACTIVE" || status.status === "DRAINING";
  const observedGeneration = metadata.generation ?? 1;
  const begun: ContainerInstanceStatus = there
    ? status
    : {
        ...rest,
        status: "REGISTERING",
        agentConnected: false,
        conditions: setCondition(
          rest.conditions,
          {
            type: "Ready",
            status: "False",
            reason: "Registering",
            message: "The machine has joined; its agent has not been heard of yet.",
            observedGeneration,
          },
          nowMs,
        ),
      };
  return {
    ...begun,
    observedGeneration,
    version: (status.version ?? 0) + 1,
    hostname: request.hostname,
    machineId: request.machineId,
    publicKey: request.publicKey,
    credentialExpiresAt: new Date(expiresAtMs).toISOString(),
  };
}
