// The tables of docs/status.md: which kinds there are, and which of their fields are not acted on yet.
import type { CustomResourceDefinition } from "../../api/crd.js";
import type { FieldRule } from "../../api/field-rules.js";
import { FIELDS } from "../../api/field-table.js";
import { KINDS, type Kind } from "../../api/types.gen.js";
import { schemaOf } from "./types.js";

/** Kinds whose table another kind's stands for: a revision is made of a task definition's text. */
const SAME_AS: Partial<Record<Kind, Kind>> = { TaskDefinitionRevision: "TaskDefinition" };

/** The document with every part between `<!-- generated: NAME -->` and `<!-- /generated -->` made anew.
 *  @throws for a name that is no table */
export function withTables(document: string, crds: readonly CustomResourceDefinition[]): string {
  const tables: Record<string, string> = {
    kinds: kindsTable(crds),
    ignored: fieldTables("ignored"),
    "not-implemented": fieldTables("notImplemented"),
  };
  return document.replace(
    /(<!-- generated: ([a-z-]+) -->\n)[\s\S]*?(<!-- \/generated -->)/g,
    (_, open, name, close) => {
      const table = tables[String(name)];
      if (table === undefined) throw new Error(`docs/status.md: there is no generated part ${String(name)}`);
      return `${String(open)}${table}\n${String(close)}`;
    },
  );
}

function kindsTable(crds: readonly CustomResourceDefinition[]): string {
  const rows = (Object.keys(KINDS) as Kind[]).map((kind) => {
    const { shortNames, status, scale } = KINDS[kind];
    const crd = crds.find(({ spec }) => spec.names.kind === kind);
    const subresources = [status ? "`status`" : [], scale ? "`scale`" : []].flat().join(", ");
    return `| \`${kind}\` | ${shortNames.map((name) => `\`${name}\``).join(", ")} | ${subresources} | ${crd ? schemaOf(crd).description : ""} |`;
  });
  return ["| kind | short | subresources | what it is |", "|---|---|---|---|", ...rows].join("\n");
}

function fieldTables(list: "ignored" | "notImplemented"): string {
  const kinds = (Object.keys(FIELDS) as Kind[]).filter((kind) => FIELDS[kind][list].length > 0 && !SAME_AS[kind]);
  return kinds.map((kind) => `**${kind}**\n\n${fieldTable(FIELDS[kind][list])}`).join("\n\n");
}

function fieldTable(rules: readonly FieldRule[]): string {
  const rows = rules.map(({ path, when, instead }) => `| \`${path}\`${when ? ` ${when.text}` : ""} | ${instead} |`);
  return ["| field | instead |", "|---|---|", ...rows].join("\n");
}
