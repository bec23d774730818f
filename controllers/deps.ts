// What every reconciler is given.
import type { Arns } from "../api/arn.js";
import type { Log } from "../api/log.js";
import type { ObjectClient } from "../client/object-client.js";
import type { Outcome } from "../client/work-queue.js";
import type { Objects } from "./objects.js";
import type { World } from "./world.js";

export interface Deps {
  client: ObjectClient;
  world: World;
  objects: Objects;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** RFC 4122. */
  newUid: () => string;
  /** At least 0, below 1. */
  random: () => number;
  /** ARNs of a namespace's account. */
  arnsOf: (namespace: string) => Arns;
  log: Log;
}

/** Looks at the world and does the next right thing for one key, with writes through the client given. */
export type Reconcile = (key: string, client: ObjectClient) => Promise<Outcome>;
