// A machine that joins as `davit join` does, without an agent behind it: its key, its requests, its connection.
import { request } from "node:https";
import { connect, jwtAuthenticator, type NatsConnection } from "nats";
import type { Credential, JoinRequest, RenewRequest } from "../../bus/enrolment.js";
import { JOIN_PATH, RENEW_PATH, renewalText } from "../../bus/enrolment.js";
import { createUser, type KeyPair } from "../../bus/nkeys.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { ownVersion } from "../../cli/own-version.js";

export interface Answer<T = unknown> {
  code: number;
  body: T;
}

export interface Api {
  /** `https://host:port` */
  server: string;
  ca: string;
}

/** JSON both ways. */
export function call<T>(
  { server, ca }: Api,
  method: string,
  path: string,
  { token, body }: { token?: string; body?: object } = {},
): Promise<Answer<T>> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    ...(text !== "" && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, server), { method, ca, headers, agent: false }, (response) => {
      let said = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        said += chunk;
      });
      response.on("end", () => resolve({ code: response.statusCode ?? 0, body: JSON.parse(said) as T }));
    });
    sent.on("error", reject);
    sent.end(text);
  });
}

export class Machine {
  key: KeyPair = createUser();
  credential: Credential | undefined;

  constructor(
    readonly api: Api,
    readonly machineId: string,
  ) {}

  /** @param token without `davit.` in front and the fingerprint behind, as machines send it */
  async join(
    token: string,
    more: Partial<JoinRequest> = {},
  ): Promise<Answer<Credential & { message?: string; reason?: string }>> {
    const body: JoinRequest = {
      ...{ machineId: this.machineId, bootId: "boot", hostname: this.machineId, agentVersion: ownVersion() },
      publicKey: this.key.getPublicKey(),
      ...more,
    };
    const answer = await call<Credential & { message?: string; reason?: string }>(this.api, "POST", JOIN_PATH, {
      token,
      body,
    });
    if (answer.code === 200) this.credential = answer.body;
    return answer;
  }

  async renew(more: Partial<RenewRequest> = {}, key = this.key): Promise<Answer<Credential & { message?: string }>> {
    const publicKey = this.key.getPublicKey();
    const unsigned = { instance: this.instance, publicKey, agentVersion: ownVersion(), atMs: Date.now() };
    const signature = Buffer.from(key.sign(Buffer.from(renewalText(unsigned)))).toString("base64");
    return call(this.api, "POST", RENEW_PATH, { body: { ...unsigned, signature, ...more } });
  }

  get instance(): string {
    return this.credential?.instance ?? "0".repeat(32);
  }

  /** To the bus, as its agent would. @throws Error if the server refuses */
  async connect(jwt = this.credential?.jwt ?? ""): Promise<NatsConnection> {
    return connect({
      servers: this.credential?.busUrls ?? [],
      ...(this.credential?.busCa !== undefined && { tls: { ca: this.credential.busCa } }),
      authenticator: jwtAuthenticator(jwt, this.key.getSeed()),
      inboxPrefix: inboxPrefix(this.instance),
      reconnect: false,
    });
  }
}
