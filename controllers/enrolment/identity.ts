import { createHash } from "node:crypto";
import type { InstanceId } from "../../bus/messages.js";

/** The instance that a machine is in a namespace: the same for ever, whatever it loses. */
export const instanceIdOf = (namespace: string, machineId: string): InstanceId =>
  createHash("sha256").update(`${namespace}/${machineId}`).digest("hex").slice(0, 32);
