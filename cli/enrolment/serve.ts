// Joining and renewing, as the API serves them to machines.
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseToken, type TokenText } from "../../api/access-token.js";
import type { Log } from "../../api/log.js";
import type { PathHandler } from "../../apiserver/index.js";
import { JOIN_PATH, type JoinRequest, RENEW_PATH, type RenewRequest } from "../../bus/enrolment.js";
import { limitedWarning } from "../../bus/limited-warning.js";
import { hex32, integer, object, optional, problem, type Schema, text } from "../../bus/schema.js";
import { ApiError, apiError, type ObjectClient } from "../../client/object-client.js";
import { createEnrolment } from "../../controllers/enrolment/enrolment.js";
import { followRevocations } from "../../controllers/enrolment/revocation.js";
import { sweepTokens } from "../../controllers/enrolment/tokens.js";
import { EXIT, Failure } from "../failure.js";
import { ownVersion } from "../own-version.js";
import { ADDRESS_PATH, type Address } from "./address.js";
import type { BusKeys } from "./keys.js";

export interface EnrolmentOptions {
  client: ObjectClient;
  bus: BusKeys;
  /** As machines that join reach it. */
  busUrl: string;
  address: Address;
  log: Log;
}

export interface ServedEnrolment {
  paths: Readonly<Record<string, PathHandler>>;
  close(): Promise<void>;
}

/** What the API serves to machines that join; and, in the background, what takes credentials and tokens back. */
export function serveEnrolment({ client, bus, busUrl, address, log }: EnrolmentOptions): ServedEnrolment {
  const { signer, revoke, ca } = bus;
  const enrolment = createEnrolment({
    client,
    signer,
    revoke,
    bus: { busUrls: [busUrl], ...(ca !== undefined && { busCa: ca }) },
    credentialMs: credentialSeconds() * 1000,
    serverVersion: ownVersion(),
    now: Date.now,
    log,
  });
  // Anybody may ask: he shall not fill the log.
  const warn = limitedWarning(log, "machine refused");
  const ends = [followRevocations({ client, revoke, log }), sweepTokens({ client, now: Date.now, log })];
  return {
    paths: {
      [JOIN_PATH]: post(joinRequest, warn, (body, request) => enrolment.join(tokenOf(request), body)),
      [RENEW_PATH]: post(renewRequest, warn, (body) => enrolment.renew(body)),
      [ADDRESS_PATH]: async ({ response, authenticate }) => {
        authenticate();
        send(response, address);
      },
    },
    async close() {
      for (const end of ends) end();
      await bus.close();
    },
  };
}

const joinRequest = object<JoinRequest>({
  machineId: text(),
  bootId: text(),
  hostname: text(),
  agentVersion: text(),
  cluster: optional(text()),
  publicKey: text(),
});
const renewRequest = object<RenewRequest>({
  instance: hex32,
  publicKey: text(),
  agentVersion: text(),
  atMs: integer,
  signature: text(),
});

/** One hour, or $DAVIT_CREDENTIAL_TTL_SECONDS. */
function credentialSeconds(): number {
  const typed = process.env.DAVIT_CREDENTIAL_TTL_SECONDS || "3600";
  const seconds = Number(typed);
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new Failure(`DAVIT_CREDENTIAL_TTL_SECONDS=${typed} is no whole number of seconds from 1.`, EXIT.fatal);
  return seconds;
}

/** Whoever calls has no credential yet: little is read of him. */
const MAX_BODY_BYTES = 16 * 1024;

const post =
  <T>(
    schema: Schema<T>,
    warn: (fields: object) => void,
    answer: (body: T, request: IncomingMessage) => Promise<object>,
  ): PathHandler =>
  async ({ request, response }) => {
    const from = request.socket.remoteAddress;
    if (request.method !== "POST") throw apiError(405, "MethodNotAllowed", "only POST is served here");
    try {
      send(response, await answer(await readBody(schema, request), request));
    } catch (error) {
      if (error instanceof ApiError) warn({ from, url: request.url, error: error.message });
      throw error;
    }
  };

async function readBody<T>(schema: Schema<T>, request: IncomingMessage): Promise<T> {
  const tooLarge = apiError(413, "RequestEntityTooLarge", `the request is larger than ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  const value = parse(Buffer.concat(chunks).toString("utf8"));
  const wrong = problem(schema.json, value, "request");
  if (wrong !== undefined) throw apiError(400, "InvalidRequest", wrong);
  return value as T;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw apiError(400, "InvalidRequest", "the request is no JSON");
  }
}

/** With or without `davit.` in front. */
function tokenOf({ headers }: IncomingMessage): TokenText | undefined {
  const [, typed = ""] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
  return parseToken(typed) ?? parseToken(`davit.${typed}`);
}

function send(response: ServerResponse, value: object): void {
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(value));
}
