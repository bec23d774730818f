import { randomBytes } from "node:crypto";
import type { Msg } from "nats";
import type { Log } from "../api/log.js";
import type { BusConnection } from "./connect.js";
import { limitedWarning } from "./limited-warning.js";
import type { InstanceId } from "./messages.js";
import { decode, encode, type Schema } from "./schema.js";
import {
  assignmentPush,
  logsRequest,
  probeRequest,
  reportAnswer,
  streamPing,
  superseded,
  syncAnswer,
} from "./schemas.js";
import { createStreamSenders } from "./streams.js";
import { type DownVerb, down, inboxPrefix, isAnswerSubject, type UpVerb, up } from "./subjects.js";
import type { AgentBus } from "./transport.js";

export interface AgentBusOptions {
  /** May be shared by several instances, if its credentials allow that (`fleet`). */
  connection: BusConnection;
  instance: InstanceId;
  log: Log;
  /** A subject token that no other process of this instance has. @default 8 random bytes in hex */
  nonce?: string;
}

/** When nobody listens (the control plane is away), a request is tried again this often within its time. */
const NOBODY_LISTENS_MS = 300;

/** One agent's end. Closing it leaves the connection open. */
export function createAgentBus({
  connection,
  instance,
  log,
  nonce = randomBytes(8).toString("hex"),
}: AgentBusOptions): AgentBus {
  // A late answer to this instance's last process must not be taken for one of ours.
  const inbox = `${inboxPrefix(instance)}.${nonce}`;
  const warn = limitedWarning(log, "bus: message dropped");
  const senders = createStreamSenders(connection);
  const ends: (() => void)[] = [];
  const waiting = new Map<string, (message: Msg) => void>();
  let requests = 0;
  ends.push(connection.subscribe(`${inbox}.*`, (message) => waiting.get(message.subject)?.(message)));

  async function request<T>(verb: UpVerb, content: object, answer: Schema<T>, timeoutMs: number): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    const data = encode(content);
    for (;;) {
      await connection.whenConnected(Math.max(0, deadline - Date.now()));
      const message = await ask(up(instance, verb), data, Math.max(0, deadline - Date.now()));
      if (message) return decode(answer, message.data);
      await new Promise((resolve) =>
        setTimeout(resolve, Math.min(NOBODY_LISTENS_MS, Math.max(0, deadline - Date.now()))),
      );
    }
  }

  /** undefined when nobody listens. Rejects at once when the connection goes: the answer can't come any more. */
  function ask(subject: string, data: Uint8Array, timeoutMs: number): Promise<Msg | undefined> {
    requests += 1;
    const reply = `${inbox}.${requests}`;
    return new Promise((resolve, reject) => {
      const done = () => {
        waiting.delete(reply);
        clearTimeout(timer);
        stop();
      };
      const fail = (why: string) => {
        done();
        reject(new Error(`${subject}: ${why}`));
      };
      const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
      const stop = connection.onConnection((connected) => connected || fail("the connection to the bus was lost"));
      waiting.set(reply, (message) => {
        done();
        resolve(message.headers?.code === 503 && message.data.length === 0 ? undefined : message);
      });
      try {
        if (!connection.publish(subject, data, { reply })) fail("not connected to the bus");
      } catch (error) {
        done();
        reject(error);
      }
    });
  }

  function hear<T>(verb: DownVerb, schema: Schema<T>, handler: (content: T, message: Msg) => void): void {
    ends.push(
      connection.subscribe(down(instance, verb), (message) => {
        let content: T;
        try {
          content = decode(schema, message.data);
        } catch (error) {
          warn({ subject: message.subject, error: String(error) });
          return;
        }
        handler(content, message);
      }),
    );
  }

  return {
    connected: connection.connected,
    onConnection: connection.onConnection,
    sync: (content, timeoutMs) => request("sync", content, syncAnswer, timeoutMs),
    report: (content, timeoutMs) => request("report", content, reportAnswer, timeoutMs),
    heartbeat: (message) => void connection.publish(up(instance, "heartbeat"), encode(message)),
    goodbye: (message) => void connection.publish(up(instance, "goodbye"), encode(message)),
    serve: (handlers) => {
      hear("assign", assignmentPush, (push) => handlers.push(push));
      hear("superseded", superseded, ({ epoch }) => handlers.superseded(epoch));
      hear("logs", logsRequest, (content, { reply = "" }) => {
        if (!isAnswerSubject(instance, reply))
          return warn({ reply, error: "answers go below the agent's own subjects only" });
        void senders.send(reply, (signal) => handlers.logs(content, signal));
      });
      hear("probe", probeRequest, (_, { reply = "" }) => {
        if (!isAnswerSubject(instance, reply))
          return warn({ reply, error: "answers go below the agent's own subjects only" });
        handlers.probe().then(
          (answer) => void connection.publish(reply, encode(answer)),
          (error: unknown) => warn({ error: String(error) }),
        );
      });
      hear("stream", streamPing, senders.steer);
    },
    close: async () => {
      senders.closeAll();
      for (const end of ends.splice(0)) end();
    },
  };
}
