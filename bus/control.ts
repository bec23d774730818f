import { randomBytes } from "node:crypto";
import type { Msg } from "nats";
import type { Log } from "../api/log.js";
import type { BusConnection } from "./connect.js";
import { limitedWarning } from "./limited-warning.js";
import type { InstanceId } from "./messages.js";
import { decode, encode, type Schema } from "./schema.js";
import { goodbye, heartbeat, probeAnswer, reportBatch, syncRequest } from "./schemas.js";
import { readStream } from "./streams.js";
import { answers, down, isInboxOf, senderOf, type UpVerb, upOfAll } from "./subjects.js";
import type { ControlBus } from "./transport.js";

export interface ControlBusOptions {
  connection: BusConnection;
  log: Log;
  /** A fresh subject token for each stream. @default 16 random bytes in hex */
  nonce?: () => string;
}

/** The control plane's end. What agents send is not trusted: it is read by its schema, must name the instance of its
 *  subject, and is answered only into that instance's own inbox. Closing it leaves the connection open. */
export function createControlBus({
  connection,
  log,
  nonce = () => randomBytes(16).toString("hex"),
}: ControlBusOptions): ControlBus {
  const dropped = limitedWarning(log, "bus: message dropped");
  const failed = limitedWarning(log, "bus: request not answered");
  const ends: (() => void)[] = [];

  /** The message and who sent it, or undefined (and a word in the log) for what must not be acted on. */
  function accept<T extends { instance: InstanceId }>(schema: Schema<T>, message: Msg): T | undefined {
    const sender = senderOf(message.subject);
    try {
      if (sender === undefined) throw new Error("its subject names no instance");
      const content = decode(schema, message.data);
      if (content.instance !== sender) throw new Error("it names another instance than its subject");
      return content;
    } catch (error) {
      dropped({ subject: message.subject, error: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  function answer<T extends { instance: InstanceId }>(
    verb: UpVerb,
    schema: Schema<T>,
    handler: (content: T) => Promise<object>,
  ): void {
    const respond = async (message: Msg): Promise<void> => {
      const content = accept(schema, message);
      if (!content) return;
      const reply = message.reply ?? "";
      if (!isInboxOf(content.instance, reply)) {
        dropped({ subject: message.subject, reply, error: "its reply subject is not in the sender's own inbox" });
        return;
      }
      try {
        connection.publish(reply, encode(await handler(content)));
      } catch (error) {
        failed({
          subject: message.subject,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
    };
    ends.push(connection.subscribe(upOfAll(verb), (message) => void respond(message)));
  }

  function hear<T extends { instance: InstanceId }>(
    verb: UpVerb,
    schema: Schema<T>,
    handler: (content: T) => void,
  ): void {
    ends.push(
      connection.subscribe(upOfAll(verb), (message) => {
        const content = accept(schema, message);
        if (content) handler(content);
      }),
    );
  }

  return {
    connected: connection.connected,
    onConnection: connection.onConnection,
    serve: (handlers) => {
      answer("sync", syncRequest, handlers.sync);
      answer("report", reportBatch, handlers.report);
      hear("heartbeat", heartbeat, handlers.heartbeat);
      hear("goodbye", goodbye, handlers.goodbye);
    },
    push: (instance, message) => {
      try {
        connection.publish(down(instance, "assign"), encode(message));
      } catch (error) {
        failed({ instance, error: String(error) });
      }
    },
    supersede: (instance, epoch) =>
      void connection.publish(down(instance, "superseded"), encode({ type: "davit.v1.Superseded", epoch })),
    logs: (instance, request, signal) => readStream(connection, instance, request, nonce(), signal),
    probe: (instance, timeoutMs) =>
      new Promise((resolve, reject) => {
        const reply = answers(instance, nonce());
        const end = (): void => {
          clearTimeout(timer);
          stop();
        };
        const stop = connection.subscribe(reply, (message) => {
          end();
          try {
            resolve(decode(probeAnswer, message.data));
          } catch (error) {
            reject(error);
          }
        });
        const fail = (why: string): void => {
          end();
          reject(new Error(`${instance}: ${why}`));
        };
        const timer = setTimeout(() => fail(`no answer within ${timeoutMs} ms`), timeoutMs);
        const request = encode({ type: "davit.v1.ProbeRequest" });
        if (!connection.publish(down(instance, "probe"), request, { reply })) fail("not connected to the bus");
      }),
    close: async () => {
      for (const end of ends.splice(0)) end();
    },
  };
}
