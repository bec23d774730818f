// Asks everybody, and judges nothing.
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import type { AccessToken, Cluster, ContainerInstance, Service, Task } from "../../api/types.gen.js";
import { type Connection, createTransport, type Transport } from "../../client/http-transport.js";
import { ApiError } from "../../client/object-client.js";
import { fetchList } from "../api/objects.js";
import { probeAll } from "../api/probes.js";
import { findResource } from "../api/resources.js";
import { messageOf } from "../failure.js";
import { ownVersion } from "../own-version.js";
import { DIAGNOSIS_PATH, type Diagnosis } from "./diagnosis.js";
import { type Facts, isPresent, type LocalFacts, type Timed } from "./facts.js";

const NOTHING = { instances: [], clusters: [], services: [], tasks: [], tokens: [], probes: new Map() };

/** @param now this machine's clock */
export async function gather(connection: Connection, local: LocalFacts | undefined, now: () => number): Promise<Facts> {
  const certificate = await servedCertificate(connection);
  const here = {
    version: ownVersion(),
    server: connection.server,
    ...(certificate && { certificate }),
    ...(local && { local }),
  };
  const api = createTransport(connection);
  try {
    return { ...here, ...(await remoteFacts(api, now)), nowMs: now() };
  } catch (error) {
    const why = error instanceof ApiError ? { refused: error.message } : { unreachable: messageOf(error) };
    return { ...here, ...NOTHING, ...why, nowMs: now() };
  } finally {
    api.close();
  }
}

function refusedAsNone(error: unknown): never[] {
  if (error instanceof ApiError && error.code === 403) return [];
  throw error;
}

type RemoteFacts = Pick<Facts, "instances" | "clusters" | "services" | "tasks" | "tokens" | "probes" | "diagnosis">;

async function remoteFacts(api: Transport, now: () => number): Promise<RemoteFacts> {
  const list = async <T>(kind: string): Promise<T[]> =>
    (await fetchList(api, findResource(kind), undefined)).items as T[];
  const [instances, clusters, services, tasks, tokens] = await Promise.all([
    list<ContainerInstance>("containerinstance"),
    list<Cluster>("cluster"),
    list<Service>("service"),
    list<Task>("task"),
    // Not for every reader's eyes.
    list<AccessToken>("accesstoken").catch(refusedAsNone),
  ]);
  const diagnosis = await diagnose(api, now);
  const probes = await probeAll(api, instances.filter(isPresent), { now });
  return { instances, clusters, services, tasks, tokens, probes, ...(diagnosis && { diagnosis }) };
}

/** By a connection that is open already: setting one up would count as half a round trip. */
async function diagnose(api: Transport, now: () => number): Promise<Timed<Diagnosis> | undefined> {
  const sentMs = now();
  try {
    const value = (await api.call(DIAGNOSIS_PATH)) as Diagnosis;
    return { value, sentMs, receivedMs: now() };
  } catch {
    return undefined; // an older server, or one that is a Kubernetes API server
  }
}

const CONNECT_TIMEOUT_MS = 5_000;

/** Looks at the certificate without trusting it: an expired one is what is looked for. */
function servedCertificate({ server, ca, serverName }: Connection): Promise<Facts["certificate"]> {
  const { hostname, port, protocol } = new URL(server);
  if (protocol !== "https:") return Promise.resolve(undefined);
  const host = hostname.replace(/^\[|\]$/g, "");
  const name = serverName ?? (/^[\d.:a-f]+$/.test(host) ? undefined : host);
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: port === "" ? 443 : Number(port),
      rejectUnauthorized: false,
      ...(name !== undefined && { servername: name }),
    });
    const end = (found: Facts["certificate"]): void => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => end(undefined));
    socket.once("error", () => end(undefined));
    socket.once("secureConnect", () => {
      const validToMs = Date.parse(socket.getPeerCertificate().valid_to);
      const caValidToMs = ca === undefined ? Number.NaN : Date.parse(new X509Certificate(ca).validTo);
      end({ validToMs, ...(Number.isFinite(caValidToMs) && { caValidToMs }) });
    });
  });
}
