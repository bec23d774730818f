// The containers of this data folder's agents, for `davit down`, which must do without the agent.
import { request } from "node:http";
import { LABELS } from "../../agent/runtimes/labels.js";
import { dockerSocket } from "./checks.js";

export interface LeftContainer {
  id: string;
  name: string;
  running: boolean;
}

/** Empty where no Docker Engine answers. */
export async function containersOf(instances: readonly string[]): Promise<LeftContainer[]> {
  const found: LeftContainer[] = [];
  for (const instance of instances) {
    const filters = encodeURIComponent(JSON.stringify({ label: [`${LABELS.agent}=${instance}`] }));
    const answer = await docker("GET", `/containers/json?all=true&filters=${filters}`).catch(() => undefined);
    if (answer?.code !== 200) return found;
    for (const { Id, Names, State } of JSON.parse(answer.body) as { Id: string; Names: string[]; State: string }[])
      found.push({ id: Id, name: Names[0]?.slice(1) ?? Id, running: State === "running" });
  }
  return found;
}

/** Kills and removes one, with its anonymous volumes. */
export async function removeContainer({ id, name }: LeftContainer): Promise<void> {
  const { code, body } = await docker("DELETE", `/containers/${id}?force=true&v=true`);
  if (code >= 300 && code !== 404) throw new Error(`Docker did not remove ${name}: ${body.trim()}`);
}

function docker(method: string, path: string): Promise<{ code: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: dockerSocket(), method, path }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ code: response.statusCode ?? 0, body }));
    });
    sent.once("error", reject).end();
  });
}
