// One connection to nats-server that never gives up: it comes up later, goes away and comes back, with new credentials
// if need be, and nobody above has to care.
import { readFileSync } from "node:fs";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { connect, Events, type Msg, type MsgHdrs, type NatsConnection } from "nats";
import type { Log } from "../api/log.js";
import { createAuthenticator } from "./authenticator.js";
import { limitedWarning } from "./limited-warning.js";
import { MAX_PINGS_OUT, PING_INTERVAL_MS } from "./liveness.js";
import type { Connection } from "./transport.js";

export interface BusConnection extends Connection {
  /** The connected client; undefined while there is none. */
  client(): NatsConnection | undefined;
  /** @throws Error when there is no connection within `timeoutMs`. */
  whenConnected(timeoutMs: number): Promise<NatsConnection>;
  /** Sent only while connected: false says that it was not. @throws Error if it is larger than the server takes. */
  publish(subject: string, data: Uint8Array, options?: { reply?: string; headers?: MsgHdrs }): boolean;
  /** Stays subscribed over every reconnect; returns the way to end it. A callback that throws ends the process. */
  subscribe(subject: string, callback: (message: Msg) => void): () => void;
  /** Lets go of the server and connects anew, to what `servers` and `tls` say now. */
  reconnect(): void;
}

export interface BusOptions {
  /** `nats://host:port`, one or several; one that says `tls:` demands TLS. A function is asked at each new connection. */
  servers: string | string[] | (() => string[]);
  /** Only a server whose certificate comes from this CA (PEM) will do, and credentials are shown to no other. The
   *  connection is encrypted or not made at all. A function is asked at each new connection.
   *  @default whatever the server offers, with the system's CAs */
  tls?: { ca: string } | (() => { ca: string } | undefined);
  /** A credentials file, read again at each connect, so that a renewed one is taken up; or its text. */
  credentials: { file: string } | { text: string };
  /** Shown by nats-server among its connections. */
  name: string;
  /** All requests of the client itself name replies below this. */
  inboxPrefix: string;
  log: Log;
  /** In [0, 1). @default Math.random */
  random?: () => number;
}

/** Between attempts: so that thousands of agents don't come back at one instant. */
const reconnectDelayMs = (random: () => number): number => 200 + Math.floor(random() * 1300);

/** Returns at once and connects behind the scenes. */
export function connectBus(options: BusOptions): BusConnection {
  const { log, random = Math.random } = options;
  const authenticator = credentialsOf(options);
  const warn = limitedWarning(log, "bus: can't connect");
  const listeners = new Set<(connected: boolean) => void>();
  const subscriptions = new Set<{ subject: string; callback: (message: Msg) => void; end?: () => void }>();
  let live: NatsConnection | undefined;
  let connected = false;
  let closed = false;
  let wake: () => void = () => {};

  const setConnected = (value: boolean): void => {
    if (connected === value) return;
    connected = value;
    log.info({ connected, name: options.name }, "bus: connection");
    for (const listener of [...listeners]) listener(value);
  };

  const subscribeNow = (
    client: NatsConnection,
    entry: { subject: string; callback: (message: Msg) => void; end?: () => void },
  ) => {
    const subscription = client.subscribe(entry.subject, {
      callback: (error, message) => {
        if (error) log.error({ subject: entry.subject, error: error.message }, "bus: subscription refused");
        else entry.callback(message);
      },
    });
    entry.end = () => subscription.unsubscribe();
  };

  /** Its iterator does not end with the client, so nobody waits for this. */
  const watchStatus = async (client: NatsConnection): Promise<void> => {
    for await (const status of client.status()) {
      if (status.type === Events.Disconnect) setConnected(false);
      else if (status.type === Events.Reconnect) setConnected(true);
      else if (status.type === Events.Error) warn({ error: String(status.data) });
    }
  };

  /** Until this client is closed; nats.js itself reconnects in between. */
  const follow = async (client: NatsConnection): Promise<void> => {
    live = client;
    for (const entry of subscriptions) subscribeNow(client, entry);
    setConnected(true);
    void watchStatus(client);
    await client.closed();
    live = undefined;
    setConnected(false);
  };

  const run = async (): Promise<void> => {
    while (!closed) {
      const servers = typeof options.servers === "function" ? options.servers() : options.servers;
      const tls = typeof options.tls === "function" ? options.tls() : options.tls;
      try {
        const client = await connect({
          servers,
          name: options.name,
          inboxPrefix: options.inboxPrefix,
          authenticator,
          ...tlsOf([servers].flat(), tls),
          timeout: 3000,
          reconnect: true,
          maxReconnectAttempts: -1,
          // nats.js would close for good after two refusals, as happen when a JWT expires before its successor is there.
          ignoreAuthErrorAbort: true,
          reconnectDelayHandler: () => reconnectDelayMs(random),
          pingInterval: PING_INTERVAL_MS,
          maxPingOut: MAX_PINGS_OUT,
          ignoreClusterUpdates: true,
        });
        if (closed) await client.close();
        else await follow(client);
      } catch (error) {
        warn({ error: String(error), servers });
      }
      if (!closed)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, reconnectDelayMs(random));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
    }
  };
  const running = run();

  const onConnection = (listener: (connected: boolean) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const client = () => (connected ? live : undefined);
  return {
    client,
    connected: () => connected,
    onConnection,
    whenConnected: (timeoutMs) =>
      new Promise((resolve, reject) => {
        const now = client();
        if (now) return resolve(now);
        const stop = onConnection(() => {
          const then = client();
          if (!then) return;
          done();
          resolve(then);
        });
        const timer = setTimeout(() => {
          done();
          reject(new Error(`no connection to the bus within ${timeoutMs} ms`));
        }, timeoutMs);
        const done = () => {
          stop();
          clearTimeout(timer);
        };
      }),
    publish: (subject, data, publishOptions) => {
      const now = client();
      if (!now) return false;
      now.publish(subject, data, publishOptions);
      return true;
    },
    subscribe: (subject, callback) => {
      const entry: { subject: string; callback: (message: Msg) => void; end?: () => void } = { subject, callback };
      subscriptions.add(entry);
      if (live) subscribeNow(live, entry);
      return () => {
        subscriptions.delete(entry);
        entry.end?.();
      };
    },
    reconnect: () => {
      wake();
      void live?.close();
    },
    close: async () => {
      closed = true;
      wake();
      // What was published last, a goodbye perhaps, is to arrive.
      if (connected) await Promise.race([live?.flush().catch(() => {}), new Promise((r) => setTimeout(r, 500))]);
      await live?.close();
      await running;
    },
  };
}

/** With these options nats.js refuses a server without TLS before it says who it is. */
function tlsOf(servers: readonly string[], tls: { ca: string } | undefined) {
  if (tls === undefined && !servers.some((url) => /^tls:/i.test(url))) return {};
  const hosts = servers.map((url) => hostOf(url));
  // nats.js would check an address as "localhost".
  const identity = (_name: string, certificate: PeerCertificate): Error | undefined => {
    const errors = hosts.map((host) => checkServerIdentity(host, certificate));
    return errors.includes(undefined) ? undefined : errors[0];
  };
  return { tls: { ...tls, checkServerIdentity: identity } };
}

const hostOf = (url: string): string =>
  new URL(url.includes("://") ? url : `nats://${url}`).hostname.replace(/^\[|\]$/g, "");

/** nats.js asks for credentials at each connect. While a file is being replaced, the last good ones do. */
function credentialsOf({ credentials, log }: BusOptions) {
  const authenticate = createAuthenticator();
  let last: Uint8Array = "text" in credentials ? Buffer.from(credentials.text) : new Uint8Array();
  return (nonce?: string) => {
    if ("file" in credentials) {
      try {
        last = readFileSync(credentials.file);
      } catch (error) {
        log.warn({ file: credentials.file, error: String(error) }, "bus: can't read the credentials file");
      }
    }
    return authenticate(last, nonce);
  };
}
