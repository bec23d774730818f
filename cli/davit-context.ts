// Davit's context in somebody else's kubeconfig.
import { existsSync } from "node:fs";
import type { Connection } from "../client/http-transport.js";
import { loadKubeconfig } from "../client/kubeconfig.js";
import { Failure } from "./failure.js";
import { writeWhole } from "./supervisor/data-folder.js";

/** The name of cluster, user and context that Davit owns in any kubeconfig. */
const CONTEXT = "davit";

/** Writes the context into a file and leaves every other entry of it as it is. */
export async function writeDavitContext(path: string, connection: Connection): Promise<void> {
  if (connection.authenticate)
    throw new Failure("the credentials of this kubeconfig are handed out by a program: copy its entries by hand.");
  const config = existsSync(path) ? await loadKubeconfig(path) : {};
  const merged = {
    ...config,
    apiVersion: "v1",
    kind: "Config",
    clusters: withEntry(config.clusters, { name: CONTEXT, cluster: clusterOf(connection) }),
    users: withEntry(config.users, { name: CONTEXT, user: userOf(connection) }),
    contexts: withEntry(config.contexts, {
      name: CONTEXT,
      context: { cluster: CONTEXT, user: CONTEXT, namespace: "default" },
    }),
    "current-context": config["current-context"] || CONTEXT,
  };
  const { dump } = await import("js-yaml");
  writeWhole(path, dump(merged));
}

const clusterOf = ({ server, ca, serverName, insecureSkipTlsVerify }: Connection) => ({
  server,
  ...(ca && { "certificate-authority-data": base64(ca) }),
  ...(serverName && { "tls-server-name": serverName }),
  ...(insecureSkipTlsVerify && { "insecure-skip-tls-verify": true }),
});

const userOf = ({ token, username, password, clientCertificate, clientKey }: Connection) => ({
  ...(token && { token }),
  ...(username && { username, password }),
  ...(clientCertificate && { "client-certificate-data": base64(clientCertificate) }),
  ...(clientKey && { "client-key-data": base64(clientKey) }),
});

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");

function withEntry(list: unknown, entry: { name: string; [kind: string]: unknown }): unknown[] {
  const entries: unknown[] = Array.isArray(list) ? list : [];
  const isOurs = (each: unknown) =>
    typeof each === "object" && each !== null && "name" in each && each.name === entry.name;
  return [...entries.filter((each) => !isOurs(each)), entry];
}
