// How a machine gets and renews its credential: over HTTPS at the API server, because the bus lets nobody in without
// one. The machine makes its key pair itself; only the public key ever leaves it.
import type { InstanceId } from "./messages.js";

/** `POST`, with `Authorization: Bearer <name>.<secret>` of an AccessToken for joining. */
export const JOIN_PATH = "/davit/v1/join";
/** `POST`, without authorization: the request is signed, and what it yields is of use to the key's holder only. */
export const RENEW_PATH = "/davit/v1/renew";

export interface JoinRequest {
  /** What tells this machine from others, over restarts, reboots and a lost data folder. */
  machineId: string;
  bootId: string;
  hostname: string;
  agentVersion: string;
  /** What the machine expects (`--cluster`, ECS_CLUSTER). A token for another one is refused, and stays good. */
  cluster?: string;
  /** An nkey of a user: `U…`. */
  publicKey: string;
}

export interface RenewRequest {
  instance: InstanceId;
  publicKey: string;
  agentVersion: string;
  /** The machine's clock, for the log only. */
  atMs: number;
  /** Base64 of the key's signature over `renewalText` of this request. */
  signature: string;
}
export const renewalText = ({ instance, publicKey, agentVersion, atMs }: Omit<RenewRequest, "signature">): string =>
  `davit.v1.renew ${instance} ${publicKey} ${agentVersion} ${atMs}`;

/** What both answer. Anything else is a Kubernetes `Status` with one sentence for a person. */
export interface Credential {
  instance: InstanceId;
  namespace: string;
  /** The ECS name. */
  cluster: string;
  /** Of a NATS user that may do what this one agent does; without its key, which the machine has. */
  jwt: string;
  expiresAtMs: number;
  /** `tls://host:port`, in the order in which to try them. */
  busUrls: string[];
  /** PEM: the CA of the bus's certificate. Absent: the system's. */
  busCa?: string;
}

export { formatToken, parseToken, type TokenText } from "../api/access-token.js";
