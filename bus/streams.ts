// Streams of chunks from an agent: started by a request, kept open by pings, ended by either side. Core NATS neither
// resends nor slows a sender down, so chunks are numbered and the reader says how far it is.
import { headers } from "nats";
import type { BusConnection } from "./connect.js";
import type { InstanceId, LogsChunk, LogsRequest, StreamPing } from "./messages.js";
import { decode, encode } from "./schema.js";
import { logsChunk } from "./schemas.js";
import { answers, down } from "./subjects.js";

const PING_EVERY_MS = 2000;
/** A sender ends itself after this long without a ping. */
const PING_LOST_MS = 10_000;
/** A reader gives up on an agent that sends nothing at first. */
const FIRST_CHUNK_MS = 10_000;
/** Chunks that may be on their way: bounds both sides' memory. */
const AHEAD = 64;
const CHUNK_HEADER = "Davit-Chunk";

/** Reads one stream. Ends with the signal or the sender's last chunk. @throws Error when the agent does not answer,
 *  says an error, or part of the stream was lost. */
export async function* readStream(
  connection: BusConnection,
  instance: InstanceId,
  request: LogsRequest,
  nonce: string,
  signal: AbortSignal,
): AsyncGenerator<LogsChunk> {
  const arrived: { number: number; chunk: LogsChunk }[] = [];
  let broken: Error | undefined;
  let wake: () => void = () => {};
  const fail = (why: string) => {
    broken ??= new Error(why);
    wake();
  };
  const onAbort = () => wake();
  let taken = 0;
  const ping = (cancel?: true): void => {
    const message: StreamPing = {
      type: "davit.v1.StreamPing",
      stream: nonce,
      received: taken,
      ...(cancel && { cancel }),
    };
    connection.publish(down(instance, "stream"), encode(message));
  };

  const unsubscribe = connection.subscribe(answers(instance, nonce), (message) => {
    if (message.headers?.code === 503) return;
    try {
      arrived.push({ number: Number(message.headers?.get(CHUNK_HEADER)), chunk: decode(logsChunk, message.data) });
      wake();
    } catch (error) {
      fail(`the agent sent something unreadable: ${error instanceof Error ? error.message : error}`);
    }
  });
  const stopListening = connection.onConnection((up) => up || fail("the connection to the bus was lost; ask again"));
  const pinging = setInterval(() => ping(), PING_EVERY_MS);
  const waiting = setTimeout(() => fail(`no answer from the agent within ${FIRST_CHUNK_MS / 1000} s`), FIRST_CHUNK_MS);
  signal.addEventListener("abort", onAbort, { once: true });
  let ended = false;
  try {
    if (!connection.publish(down(instance, "logs"), encode(request), { reply: answers(instance, nonce) }))
      throw new Error("not connected to the bus; ask again");
    while (!signal.aborted) {
      const next = arrived.shift();
      if (!next) {
        if (broken) throw broken;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      clearTimeout(waiting);
      if (next.number !== taken) throw new Error("part of the stream was lost; ask again");
      taken += 1;
      if (taken % (AHEAD / 4) === 0) ping();
      ended = next.chunk.end === true;
      if (next.chunk.error !== undefined) throw new Error(next.chunk.error);
      yield next.chunk;
      if (ended) return;
    }
  } finally {
    clearTimeout(waiting);
    clearInterval(pinging);
    stopListening();
    unsubscribe();
    signal.removeEventListener("abort", onAbort);
    if (!ended) ping(true);
  }
}

/** The agent's open streams, by nonce. */
export function createStreamSenders(connection: BusConnection) {
  const open = new Map<string, { ping(received: number): void; cancel(): void }>();

  const send = async (reply: string, produce: (signal: AbortSignal) => AsyncIterable<LogsChunk>): Promise<void> => {
    const nonce = reply.slice(reply.lastIndexOf(".") + 1);
    const abort = new AbortController();
    let sent = 0;
    let received = 0;
    let wake: () => void = () => {};
    const cancel = () => {
      abort.abort();
      wake();
    };
    let silence = setTimeout(cancel, PING_LOST_MS);
    open.get(nonce)?.cancel();
    const entry = {
      ping: (count: number) => {
        clearTimeout(silence);
        silence = setTimeout(cancel, PING_LOST_MS);
        received = Math.max(received, count);
        wake();
      },
      cancel,
    };
    open.set(nonce, entry);
    const publish = (chunk: LogsChunk) => {
      const numbered = headers();
      numbered.set(CHUNK_HEADER, String(sent));
      if (!connection.publish(reply, encode(chunk), { headers: numbered })) cancel();
      sent += 1;
    };
    try {
      for await (const chunk of produce(abort.signal)) {
        while (sent - received >= AHEAD && !abort.signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        if (abort.signal.aborted) return;
        publish(chunk);
        if (chunk.end) return;
      }
      if (!abort.signal.aborted) publish({ type: "davit.v1.LogsChunk", lines: [], end: true });
    } catch (error) {
      if (!abort.signal.aborted)
        publish({
          type: "davit.v1.LogsChunk",
          lines: [],
          end: true,
          error: error instanceof Error ? error.message : String(error),
        });
    } finally {
      clearTimeout(silence);
      abort.abort();
      if (open.get(nonce) === entry) open.delete(nonce);
    }
  };

  return {
    send,
    steer: ({ stream, received, cancel }: StreamPing): void => {
      if (cancel) open.get(stream)?.cancel();
      else open.get(stream)?.ping(received);
    },
    closeAll: (): void => {
      for (const stream of [...open.values()]) stream.cancel();
    },
  };
}
