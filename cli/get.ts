import type { Command } from "commander";
import type { ApiObject } from "../api/meta.js";
import { hasTags } from "../api/tags.js";
import type { Tag } from "../api/types.gen.js";
import type { Api } from "./api/api.js";
import { type ApiOptions, withApi, withApiOptions } from "./api/connect.js";
import { parseTargets, resolve, type Target } from "./api/names.js";
import { pathOf } from "./api/resources.js";
import { tags } from "./arguments.js";
import { age, columns } from "./output/columns.js";
import { listOf, serialize, withOutputOption } from "./output/format.js";
import { print, printExactly } from "./output/terminal.js";

interface Options extends ApiOptions {
  allNamespaces?: boolean;
  all?: boolean;
  stopped?: boolean;
  selector?: string;
  tag: Tag[];
  output?: "json" | "yaml" | "name" | "wide";
}

interface Table {
  columnDefinitions: { name: string; priority: number; format?: string; type: string }[];
  rows: { cells: unknown[]; object: ApiObject }[];
}

export function define(command: Command): void {
  command
    .argument("<kind...>", "KIND, KIND,KIND, KIND NAME…, or KIND/NAME…")
    .option("-A, --all-namespaces", "of all namespaces")
    .option("-l, --selector <LABELS>", "only with these labels, e.g. app=web")
    .option("--tag <KEY[=VALUE]>", "only with this tag; several must all be there", tags, [])
    .option("--all", "also what is over: stopped tasks, inactive services, machines and revisions")
    .option("--stopped", "tasks: the stopped ones only")
    .addHelpText(
      "after",
      `
NAME is the object's name, its ECS name, a machine's hostname, a task's id, or any unique beginning of one.

Examples:
  $ davit get tasks                     what runs, where, and on which ports
  $ davit get tasks --stopped           what stopped, and why
  $ davit get service web -o yaml       one service in full
  $ davit get machines -o wide
  $ davit get services --tag team=blue --tag env
  $ davit get tdr/web.3 -o json | jq .spec`,
    )
    .action((args: string[], options: Options) => withApi(options, (api) => get(api, args, options)));
  withApiOptions(withOutputOption(command));
}

async function get(api: Api, args: string[], options: Options): Promise<void> {
  const targets = parseTargets(args);
  const tables = await Promise.all(targets.map((target) => rowsOf(api, target, options)));
  const objects = tables.flatMap(({ rows }) => rows.map(({ object }) => object));
  const single = targets.length === 1 && targets[0]?.name !== undefined;
  switch (options.output) {
    case "json":
    case "yaml":
      return printExactly(await serialize(single ? objects[0] : listOf(objects), options.output));
    case "name":
      for (const [index, { rows }] of tables.entries())
        for (const { object } of rows) print(`${targets[index]?.resource.qualified}/${object.metadata.name}`);
      return;
    default:
      return printTables(tables, targets, options);
  }
}

async function rowsOf(api: Api, { resource, name }: Target, options: Options): Promise<Table> {
  const namespace = options.allNamespaces ? undefined : options.namespace;
  const object = name === undefined ? undefined : await resolve(api, resource, options.namespace, name);
  const query = new URLSearchParams({
    includeObject: "Object",
    ...(options.selector && { labelSelector: options.selector }),
  });
  const path = object
    ? pathOf(resource, object.metadata.namespace ?? options.namespace, object.metadata.name)
    : pathOf(resource, namespace);
  const table = (await api.call(`${path}?${query}`, {
    accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
  })) as Table;
  const rows = table.rows.filter(
    (row) => hasTags(row.object, options.tag) && (object !== undefined || isWanted(row.object, options)),
  );
  return { ...table, rows };
}

/** What a list shows: what is over only when asked for. kubectl shows all of it. */
function isWanted({ kind, status }: ApiObject, { all, stopped }: Options): boolean {
  const { lastStatus, status: phase } = (status ?? {}) as { lastStatus?: string; status?: string };
  if (kind === "Task" && stopped) return lastStatus === "STOPPED";
  if (all) return true;
  if (kind === "Task") return lastStatus !== "STOPPED";
  if (kind === "Service") return phase !== "DRAINING" && phase !== "INACTIVE";
  return phase !== "INACTIVE";
}

function printTables(tables: Table[], targets: Target[], options: Options): void {
  const full = tables.filter(({ rows }) => rows.length > 0);
  if (full.length === 0) {
    const what = [...new Set(targets.map(({ resource }) => resource.plural))].join(", ");
    const where = options.allNamespaces ? "" : ` in namespace ${options.namespace}`;
    process.stderr.write(`No ${what}${where}.\n`);
  } else print(full.map((table) => render(table, options)).join("\n\n"));
}

function render({ columnDefinitions, rows }: Table, { output, allNamespaces }: Options): string {
  const shown = columnDefinitions.flatMap(({ priority }, index) =>
    priority === 0 || output === "wide" ? [index] : [],
  );
  const headings = shown.map((index) => (columnDefinitions[index]?.name ?? "").toUpperCase());
  const cells = rows.map(({ cells, object }) => [
    ...(allNamespaces ? [object.metadata.namespace] : []),
    ...shown.map((index) => cell(cells[index], columnDefinitions[index])),
  ]);
  return columns(allNamespaces ? ["NAMESPACE", ...headings] : headings, cells);
}

function cell(value: unknown, column: Table["columnDefinitions"][number] | undefined): string {
  if (value === null || value === undefined || value === "") return "<none>";
  if (column?.type === "date" || column?.format === "date-time") {
    const text = String(value);
    return /^\d{4}-\d\d-\d\dT/.test(text) ? age(text, Date.now()) : text;
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
