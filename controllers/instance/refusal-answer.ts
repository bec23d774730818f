import type { SyncAnswer } from "../../bus/messages.js";
import type { Refused } from "./registration.js";

/** A refused agent asks again after so many heartbeats. */
const RETRY_HEARTBEATS: Record<Refused["reason"], number> = {
  Busy: 0.2,
  ClusterNotFound: 2,
  Cloned: 12,
  Revoked: 12,
  Deregistered: 12,
  VersionSkew: 12,
  InvalidRegistration: 12,
};

/** No session is open, and nothing is assigned. */
export const refusalAnswer = (refused: Refused, heartbeatMs: number): SyncAnswer => ({
  type: "davit.v1.SyncAnswer",
  epoch: 0,
  seq: 0,
  assignments: [],
  revisions: {},
  heartbeatMs,
  refused: { ...refused, retryMs: Math.ceil(heartbeatMs * RETRY_HEARTBEATS[refused.reason]) },
});
