// A control plane of a test's own: the API's two paths for machines over HTTPS, a real nats-server, and what agents
// say to it. It decides nothing: the test says what is answered.

import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import jwtLibrary from "@nats-io/jwt";
import { fromSeed } from "@nats-io/nkeys";
import { ensurePki } from "../../../apiserver/index.js";
import { connectBus } from "../../../bus/connect.js";
import { createControlBus } from "../../../bus/control.js";
import {
  type Credential,
  formatToken,
  JOIN_PATH,
  type JoinRequest,
  RENEW_PATH,
  type RenewRequest,
} from "../../../bus/enrolment.js";
import type { Assignment, Goodbye, SyncRequest } from "../../../bus/messages.js";
import { inboxPrefix, permissions } from "../../../bus/subjects.js";
import { fingerprintOf } from "../../../cli/machine/https.js";
import { recordingLog } from "../../bus/support.js";
import { temporaryFolder } from "../../support/folder.js";
import { type RunningNats, startNatsServer } from "../../support/nats-server.js";

export const INSTANCE = "0123456789abcdef0123456789abcdef";

export interface Heard {
  joins: { request: JoinRequest; authorization: string | undefined }[];
  renewals: RenewRequest[];
  syncs: SyncRequest[];
  goodbyes: Goodbye[];
}

export interface ControlPlane {
  /** `https://127.0.0.1:port` */
  url: string;
  token: string;
  heard: Heard;
  nats: RunningNats;
  pki: { ca: string; cert: string; key: string };
  /** What is answered, from now on. */
  ttlMs: number;
  refuse: { status: number; message: string } | undefined;
  assignments: Assignment[];
  /** Closes the HTTPS server, and opens it again on the same port. */
  setApi(open: boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startControlPlane(name: string): Promise<ControlPlane> {
  const folder = temporaryFolder(name);
  const pki = await ensurePki({ folder: join(folder.path, "pki"), now: Date.now });
  const nats = await startNatsServer({ folder: join(folder.path, "nats") });
  const log = recordingLog();
  const connection = connectBus({
    ...{ servers: nats.url, credentials: { text: await nats.authority.control() }, log },
    ...{ name: "control", inboxPrefix: inboxPrefix("control") },
  });
  const bus = createControlBus({ connection, log });
  const heard: Heard = { joins: [], renewals: [], syncs: [], goodbyes: [] };
  let server: Server | undefined;
  let port = 0;
  let epoch = 0;
  const plane: ControlPlane = {
    ...{ url: "", heard, nats, pki, ttlMs: 3_600_000, refuse: undefined, assignments: [] },
    token: formatToken({
      name: "t-1",
      secret: "s".repeat(43),
      caFingerprint: fingerprintOf(new X509Certificate(pki.ca).raw),
    }),
    async setApi(open) {
      if (!open) {
        server?.closeAllConnections();
        await new Promise((resolve) => server?.close(resolve));
        server = undefined;
        return;
      }
      server = createServer({ key: pki.key, cert: `${pki.cert}${pki.ca}` }, (request, response) => {
        void (async () => {
          let text = "";
          for await (const chunk of request) text += String(chunk);
          const answer = await answerTo(request.url ?? "", request.headers.authorization, JSON.parse(text));
          response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
        })();
      });
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      port = typeof address === "object" && address ? address.port : 0;
      plane.url = `https://127.0.0.1:${port}`;
    },
    async close() {
      if (server) await plane.setApi(false);
      await bus.close();
      await connection.close();
      await nats.stop();
      folder.remove();
    },
  };

  async function answerTo(path: string, authorization: string | undefined, body: unknown) {
    if (path === JOIN_PATH) heard.joins.push({ request: body as JoinRequest, authorization });
    else if (path === RENEW_PATH) heard.renewals.push(body as RenewRequest);
    else return { status: 404, body: { message: "no such path" } };
    if (plane.refuse) return { status: plane.refuse.status, body: { kind: "Status", message: plane.refuse.message } };
    return { status: 200, body: await credential((body as { publicKey: string }).publicKey) };
  }

  async function credential(publicKey: string): Promise<Credential> {
    const account = fromSeed(readFileSync(join(folder.path, "nats/keys/account.nk")));
    const expiresAtMs = Date.now() + plane.ttlMs;
    const jwt = await jwtLibrary.encodeUser("agent", publicKey, account, permissions.agent(INSTANCE), {
      exp: Math.ceil(expiresAtMs / 1_000),
    });
    return {
      ...{ instance: INSTANCE, namespace: "default", cluster: "default", jwt, expiresAtMs },
      busUrls: [nats.url],
    };
  }

  bus.serve({
    sync: async (request) => {
      heard.syncs.push(request);
      epoch += 1;
      return {
        ...{ type: "davit.v1.SyncAnswer", epoch, seq: 0, revisions: {}, heartbeatMs: 1_000 },
        assignments: plane.assignments,
      };
    },
    report: async () => ({ type: "davit.v1.ReportAnswer", ok: true }),
    heartbeat: () => {},
    goodbye: (message) => void heard.goodbyes.push(message),
  });
  await plane.setApi(true);
  await connection.whenConnected(10_000);
  return plane;
}
