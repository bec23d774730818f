// `GET …/containerinstances/NAME/probe`: what a machine is like just now, asked of its agent over the bus.
import type { Connect } from "../apiserver/index.js";
import type { ControlBus } from "../bus/transport.js";
import { apiError, type ObjectClient } from "../client/object-client.js";
import { messageOf } from "./failure.js";

export interface InstanceProbeOptions {
  client: ObjectClient;
  bus: Pick<ControlBus, "probe">;
}

const DEFAULT_TIMEOUT_SECONDS = 5;
const MAX_TIMEOUT_SECONDS = 30;

/** Query: `timeoutSeconds=N`, 5 if left out, at most 30. A ProbeAnswer as JSON; 504 when the agent gives none. */
export function instanceProbe({ client, bus }: InstanceProbeOptions): Connect {
  return async ({ ref, query, request, response }) => {
    if (request.method !== "GET") throw apiError(405, "MethodNotAllowed", "a probe is read with GET");
    const timeoutMs = 1000 * timeoutSecondsOf(query.get("timeoutSeconds"));
    if (!(await client.get("ContainerInstance", ref)))
      throw apiError(404, "NotFound", `containerinstances.davit.dev "${ref.name}" not found`);
    const answer = await bus.probe(ref.name, timeoutMs).catch((error: unknown) => {
      throw apiError(504, "Timeout", `the agent of ${ref.name} gives no answer: ${messageOf(error)}`);
    });
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer));
  };
}

function timeoutSecondsOf(text: string | null): number {
  if (text === null) return DEFAULT_TIMEOUT_SECONDS;
  const seconds = Number(text);
  if (text !== "" && seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS) return seconds;
  throw apiError(
    400,
    "BadRequest",
    `timeoutSeconds: ${JSON.stringify(text)} must be above 0 and at most ${MAX_TIMEOUT_SECONDS}`,
  );
}
