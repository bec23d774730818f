// What a machine says of itself when it joins.
import { isUserKey } from "../../bus/credentials.js";
import type { JoinRequest } from "../../bus/enrolment.js";
import { refusalError, refuse } from "./refusal.js";

/** @throws 400 */
export function checkRequest({ machineId, publicKey, hostname, agentVersion }: JoinRequest): void {
  const wrong = !isUserKey(publicKey)
    ? "publicKey is no nkey of a user (U…)."
    : !/^[A-Za-z0-9_.-]{1,128}$/.test(machineId)
      ? 'machineId: 1 to 128 letters, digits, "-", "_" and "." make one (--machine-id).'
      : // It is shown to people, in their terminals.
        !/^[^\s\p{C}]{1,253}$/u.test(hostname)
        ? "hostname: 1 to 253 characters make one, none of them blank or invisible (--hostname)."
        : agentVersion.length > 64
          ? "agentVersion has more than 64 characters."
          : undefined;
  if (wrong !== undefined) throw refusalError(refuse("InvalidRequest", wrong).refused);
}
