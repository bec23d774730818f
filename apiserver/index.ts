import { warningOf } from "../api/fields.js";
import type { Log } from "../api/log.js";
import type { ApiObject } from "../api/meta.js";
import { KINDS, type Kind } from "../api/types.gen.js";
import type { ObjectClient } from "../client/object-client.js";
import type { Store } from "../store/store.js";
import { type AccessTokens, followAccessTokens } from "./access-tokens.js";
import { bootstrap } from "./bootstrap.js";
import { collectGarbage } from "./garbage-collector.js";
import { type Listening, type ListenOptions, listen } from "./http/server.js";
import { createLocalClient } from "./local-client.js";
import { emptyNamespaces } from "./namespace-emptier.js";
import { createRegistry, type Registry } from "./registry/registry.js";
import { loadResources } from "./resources/load.js";

export { authorizePath, type Token } from "./http/auth.js";
export type { Connect, ConnectRequest, Connects } from "./http/connect.js";
export type { Listening, ListenOptions, PathHandler, ServerTls } from "./http/server.js";
export { type KubeconfigOptions, kubeconfig } from "./kubeconfig.js";
export { createLocalClient, type LocalClientOptions } from "./local-client.js";
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
  /** Sentences that become `Warning` headers for the writer of this (valid) object.
   *  @default one that names the fields without effect, if there are any */
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
  const { store, crdFolder, log, now, newUid, random, remarks = fieldsWithoutEffect } = options;
  const registry = createRegistry({ store, resources: loadResources(crdFolder), now, newUid, random, remarks });
  const listening = new Set<Listening>();
  const closing = new AbortController();
  const workers: Promise<void>[] = [];
  let accessTokens: AccessTokens | undefined;
  return {
    registry,
    client: createLocalClient({ registry }),
    trustedClient: createLocalClient({ registry, validate: false }),
    async bootstrap() {
      await bootstrap(registry);
      const background = { registry, log, signal: closing.signal };
      workers.push(collectGarbage(background), emptyNamespaces(background));
    },
    async listen(listenOptions) {
      if (accessTokens === undefined) {
        accessTokens = followAccessTokens({ registry, now, log, signal: closing.signal });
        workers.push(accessTokens.done);
      }
      await accessTokens.ready;
      const server = await listen({ registry, userOf: accessTokens.userOf, now, log }, listenOptions);
      listening.add(server);
      return server;
    },
    async close() {
      for (const each of listening) await each.close();
      closing.abort();
      await Promise.all(workers);
    },
  };
}

function fieldsWithoutEffect({ apiVersion, kind, spec }: ApiObject): string[] {
  if (!apiVersion.startsWith("davit.dev/") || !Object.hasOwn(KINDS, kind)) return [];
  return [warningOf(kind as Kind, spec) ?? []].flat();
}
