// What `davit run` is asked for: a family or revision, or a RunTask request in a file.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { resourceIdOf } from "../../api/arn.js";
import { describePlace, importDocuments } from "../../api/import/index.js";
import { objectName, revisionObjectName } from "../../api/names.js";
import type { Task, TaskDefinition, TaskDefinitionRevision, TaskSpec } from "../../api/types.gen.js";
import type { Api } from "../api/api.js";
import { resolve } from "../api/names.js";
import { fetchObject } from "../api/objects.js";
import { findResource, pathOf } from "../api/resources.js";
import { Failure, messageOf } from "../failure.js";
import { failing } from "./waits.js";

export interface RunRequest {
  spec: TaskSpec;
  count: number;
}

/** The RunTask requests in a file, `-` for standard input. @throws Failure naming file and field */
export function requestsIn(file: string): RunRequest[] {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new Failure(`${file} can't be read: ${messageOf(error)}`);
  }
  const { runs, objects, errors, notes } = importDocuments(text, file === "-" ? "standard input" : file, {
    runs: true,
  });
  for (const note of notes) process.stderr.write(`Note: ${describePlace(note)}\n`);
  if (errors.length > 0) throw new Failure(errors.map(describePlace).join("\n"));
  if (objects.length > 0) throw new Failure(`${file} declares objects: that is for \`davit apply\`.`);
  return runs.map(({ spec, count }) => ({ spec, count }));
}

/** How long a text that was just applied may take to be registered and judged. */
const REGISTERED_WITHIN_MS = 10_000;

/** The revision to run. @throws Failure if there is none that can be run: a command says so at once */
export async function runnableRevision(api: Api, typed: string, namespace: string): Promise<TaskDefinitionRevision> {
  const wanted = resourceIdOf(typed);
  for (const deadline = performance.now() + REGISTERED_WITHIN_MS; ; await sleep(50)) {
    const late = performance.now() > deadline;
    const name = wanted.includes(":") ? wanted : await newestRevision(api, wanted, namespace, late);
    const revision = name === undefined ? undefined : await fetchRevision(api, name, namespace);
    if (revision && (revision.status?.conditions || late)) return checked(revision, wanted);
  }
}

/** Undefined while the present text is not registered yet. */
async function newestRevision(api: Api, family: string, namespace: string, late: boolean): Promise<string | undefined> {
  const { metadata, status } = (await resolve(
    api,
    findResource("taskdefinition"),
    namespace,
    family,
  )) as TaskDefinition;
  if (status?.latestRevision !== undefined && (status.observedGeneration ?? 0) >= metadata.generation)
    return status.latestRevision;
  const why = failing(status?.conditions, "Ready")?.message ?? "it has no revision yet; try again in a moment";
  if (late) throw new Failure(`task definition ${family} can't be run: ${why}`);
  return undefined;
}

async function fetchRevision(api: Api, name: string, namespace: string): Promise<TaskDefinitionRevision> {
  const [family = "", number] = name.split(":");
  const resource = findResource("taskdefinitionrevision");
  const found = await fetchObject(api, resource, namespace, revisionObjectName(family, Number(number)));
  if (!found) throw new Failure(`there is no task definition ${name} in namespace ${namespace}.`);
  return found as TaskDefinitionRevision;
}

function checked(revision: TaskDefinitionRevision, name: string): TaskDefinitionRevision {
  if (revision.status?.status === "INACTIVE") throw new Failure(`TaskDefinition is inactive: ${name}.`);
  const refused = failing(revision.status?.conditions, "Runnable");
  if (refused) throw new Failure(`${name} can't be run: ${refused.message}`);
  return revision;
}

/** Marks a task as made by a command: it may be removed some time after it has stopped. */
const RUN_LABEL = "davit.dev/run";

export async function createTask(api: Api, spec: TaskSpec, family: string, namespace: string): Promise<Task> {
  // Room for the hyphen and eight digits within a label's 63 characters.
  const name = `${objectName(family).slice(0, 54).replace(/-+$/, "")}-${randomBytes(4).toString("hex")}`;
  const body = {
    apiVersion: "davit.dev/v1",
    kind: "Task",
    metadata: { name, namespace, labels: { [RUN_LABEL]: "true" } },
    spec,
  };
  const path = `${pathOf(findResource("task"), namespace)}?fieldManager=davit-run`;
  return (await api.call(path, { method: "POST", body })) as Task;
}
