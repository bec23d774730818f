// A machine that no Davit is known on yet: could it run one, or join one?
import { findNatsServer } from "../../bus/server.js";
import { messageOf } from "../failure.js";
import { checkDocker } from "../supervisor/checks.js";
import { type Finding, note, problem } from "./facts.js";

export interface Prerequisites {
  /** Why Docker can't be used; undefined if it can. */
  docker?: string;
  /** Why there is no nats-server to start. */
  nats?: string;
}

export async function prerequisites(): Promise<Prerequisites> {
  const [docker, nats] = await Promise.all([why(checkDocker()), why(findNatsServer())]);
  return { ...(docker !== undefined && { docker }), ...(nats !== undefined && { nats }) };
}

const why = (attempt: Promise<unknown>): Promise<string | undefined> =>
  attempt.then(
    () => undefined,
    (error: unknown) => messageOf(error).replace(/\.$/, ""),
  );

/** Only the machine that runs `davit up` needs nats-server. */
export const examinePrerequisites = ({ docker, nats }: Prerequisites): Finding[] => [
  ...(docker === undefined ? [] : [problem("Docker", `${docker}.`, "A machine without Docker can run no tasks.")]),
  ...(nats === undefined
    ? []
    : [note("nats-server", `${nats}.`, "A machine that only joins another's Davit needs none.")]),
];
