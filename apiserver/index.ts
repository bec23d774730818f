import type { ApiObject } from "../api/meta.js";
import type { ObjectClient } from "../client/object-client.js";
import type { Store } from "../store/store.js";
import { bootstrap } from "./bootstrap.js";
import { type Listening, type ListenOptions, listen } from "./http/server.js";
import { createLocalClient } from "./local-client.js";
import type { Log } from "./log.js";
import { createRegistry, type Registry } from "./registry/registry.js";
import { loadResources } from "./resources/load.js";

export type { Token } from "./http/auth.js";
export type { Listening, ListenOptions, ServerTls } from "./http/server.js";
export { type KubeconfigOptions, kubeconfig } from "./kubeconfig.js";
export { createLocalClient, type LocalClientOptions } from "./local-client.js";
export type { Log } from "./log.js";
export { ensurePki, type PkiOptions } from "./pki.js";
export { ensureTokens } from "./tokens.js";

export interface ApiServerOptions {
  store: Store;
  /** One CRD a file. @default the project's `crds/` */
  crdFolder?: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** RFC 4122. */
  newUid: () => string;
  /** At least 0, below 1. */
  random: () => number;
  log: Log;
  /** Sentences that become `Warning` headers for the writer of this (valid) object. @default none */
  remarks?: (object: ApiObject) => string[];
}

export interface ApiServer {
  readonly registry: Registry;
  /** For people's input (the folder sync, `davit run`): everything is checked as over HTTP. */
  readonly client: ObjectClient;
  /** For controllers: their objects are made by typed code, and are not checked against the schema again. */
  readonly trustedClient: ObjectClient;
  /** Makes what is there on first use, and starts what works in the background: collection of what lost its
   *  owners, and emptying of deleted namespaces. */
  bootstrap(): Promise<void>;
  listen(options: ListenOptions): Promise<Listening>;
  /** Ends everything it started; the store is its owner's to close. */
  close(): Promise<void>;
}

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, crdFolder, now, newUid, random, remarks = () => [] } = options;
  const registry = createRegistry({ store, resources: loadResources(crdFolder), now, newUid, random, remarks });
  const listening = new Set<Listening>();
  return {
    registry,
    client: createLocalClient({ registry }),
    trustedClient: createLocalClient({ registry, validate: false }),
    bootstrap: () => bootstrap(registry),
    async listen(listenOptions) {
      const server = await listen({ registry, now, log: options.log }, listenOptions);
      listening.add(server);
      return server;
    },
    async close() {
      for (const each of listening) await each.close();
    },
  };
}
