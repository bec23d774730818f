import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { createApiServer, ensurePki } from "../../apiserver/index.js";
import { createHttpClient } from "../../client/http-client.js";
import type { ObjectClient } from "../../client/object-client.js";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import { type OpenClient, objectClientContract } from "../contract/object-client.contract.js";
import { temporaryFolder } from "../support/folder.js";

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** The real API server on a real store. */
async function startServer(keepChanges: number | undefined) {
  const folder = temporaryFolder("object-client");
  const store = await openLmdbStore({
    folder: join(folder.path, "store"),
    window: { ...(keepChanges !== undefined && { changes: keepChanges }) },
    progressMs: 20,
  });
  const server = createApiServer({ store, now: Date.now, newUid: randomUUID, random: Math.random, log: silent });
  await server.bootstrap();
  const namespaces = server.registry.resources.byKind("v1", "Namespace");
  if (!namespaces) throw new Error("no Namespace is served");
  let ended: Promise<void> | undefined;
  const endServer = () => {
    ended ??= server.close().then(() => store.close());
    return ended;
  };
  return {
    server,
    folder: folder.path,
    makeNamespace: async (name: string) => {
      const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
      await server.registry.create(namespaces, "", namespace);
    },
    endServer,
    close: async () => {
      await endServer();
      folder.remove();
    },
  };
}

const inProcess: OpenClient = async ({ keepChanges }) => {
  const { server, ...rest } = await startServer(keepChanges);
  return { client: server.client, ...rest };
};

const overHttp: OpenClient = async ({ keepChanges }) => {
  const { server, folder, close, ...rest } = await startServer(keepChanges);
  const tls = await ensurePki({ folder: join(folder, "pki"), now: Date.now });
  const tokens = [{ token: "secret", user: "admin", groups: ["system:masters"] }];
  const { port } = await server.listen({ host: "127.0.0.1", port: 0, tls, tokens, bookmarkMs: 20 });
  const connection = { server: `https://127.0.0.1:${port}`, ca: tls.ca, token: "secret" };
  const client: ObjectClient & { close(): void } = createHttpClient({ connection });
  return {
    client,
    ...rest,
    close: async () => {
      client.close();
      await close();
    },
  };
};

objectClientContract("in process", inProcess);
objectClientContract("over HTTP", overHttp);
