import { type Connection, createTransport, type Transport, Unreachable } from "../../client/http-transport.js";
import { codeOf, Failure } from "../failure.js";

/** Nobody answers at the API's address. */
export class Unanswered extends Failure {
  override readonly name = "Unanswered";
}

/** The API as commands use it. Its calls @throw ApiError for a refusal, and a Failure that says what to do where
 *  nobody answers. */
export interface Api extends Transport {
  readonly url: string;
  /** What the server said in Warning headers since this was last asked. */
  takeWarnings(): string[];
}

export function createApi(connection: Connection): Api {
  const warnings: string[] = [];
  // Logs that are followed may be silent for ever; Ctrl-C ends a watch.
  const transport = createTransport(connection, { onWarning: (text) => warnings.push(text), streamSilenceMs: 0 });
  return {
    url: connection.server,
    call: (path, call) => transport.call(path, call).catch(explain),
    text: (path, call) => transport.text(path, call).catch(explain),
    async *stream(path, call) {
      try {
        yield* transport.stream(path, call);
      } catch (error) {
        explain(error);
      }
    },
    async *bytes(path, call) {
      try {
        yield* transport.bytes(path, call);
      } catch (error) {
        explain(error);
      }
    },
    takeWarnings: () => warnings.splice(0),
    close: () => transport.close(),
  };
}

function explain(error: unknown): never {
  if (!(error instanceof Unreachable)) throw error;
  const code = codeOf(error.cause);
  const away = code !== undefined && ["ECONNREFUSED", "ENOTFOUND", "ECONNRESET", "ETIMEDOUT"].includes(code);
  throw new Unanswered(
    away
      ? `no Davit answers at ${error.server} (${code}): start it with \`davit up\`, or point --kubeconfig elsewhere.`
      : error.message,
  );
}
