// A manifest to start from, made from a CRD's schema: what must be there stands as text, the rest as comments.
import type { CustomResourceDefinition, Schema } from "../../api/crd.js";

/** What a first manifest usually has beside the required fields. */
const USUAL = new Set(
  (
    "family taskDefinition desiredCount cluster containerDefinitions name image cpu memory essential portMappings containerPort " +
    "hostPort environment value command healthCheck interval retries stopTimeout deploymentConfiguration maximumPercent " +
    "minimumHealthyPercent clusterName networkMode overrides"
  ).split(" "),
);
/** Where the schema has no default: so that the text applies as it stands, and with what stands as a comment, too. */
const EXAMPLES: Readonly<Record<string, string>> = {
  image: "nginx:alpine",
  containerPort: "80",
  cpu: "256",
  memory: "128",
  command: '["sh", "-c", "echo hello"]',
  essential: "true",
  stopTimeout: "30",
  interval: "30",
  retries: "3",
  desiredCount: "2",
  minimumHealthyPercent: "100",
  maximumPercent: "200",
  family: "my-taskdefinition",
};
const WIDTH = 100;

interface Walk {
  all: boolean;
  lines: string[];
}

export function skeleton({ spec }: CustomResourceDefinition, all: boolean): string {
  const { kind, singular } = spec.names;
  const version = spec.versions[0];
  const schema = version?.schema.openAPIV3Schema;
  const walk: Walk = { all, lines: [] };
  comment(walk, 0, schema?.description);
  walk.lines.push(
    `apiVersion: ${spec.group}/${version?.name}`,
    `kind: ${kind}`,
    "metadata:",
    `  name: my-${singular}`,
    "  # namespace: default",
  );
  const body = schema?.properties?.spec;
  if (body?.properties) {
    walk.lines.push(Object.keys(body.properties).length === 0 ? "spec: {}" : "spec:");
    fields(walk, body, 2, false, kind);
    if (!walk.lines.slice(walk.lines.indexOf("spec:") + 1).some((line) => /^\s+[^#\s]/.test(line)))
      walk.lines.splice(walk.lines.indexOf("spec:"), 1, "spec: {}");
  }
  return walk.lines.join("\n");
}

/** @param off inside something that stands as a comment */
function fields(walk: Walk, schema: Schema, indent: number, off: boolean, kind: string): void {
  const required = new Set([...(schema.required ?? []), ...ALWAYS]);
  if (schema.properties?.image) required.add(IN_CONTAINER);
  const names = Object.keys(schema.properties ?? {});
  const shown = names.filter((name) => walk.all || required.has(name) || USUAL.has(name));
  shown.sort((a, b) => Number(required.has(b)) - Number(required.has(a)));
  for (const name of shown) {
    const child = schema.properties?.[name];
    if (child) field(walk, name, child, indent, off || !required.has(name), kind);
  }
}

/** Required by a rule rather than by the schema. */
const ALWAYS = ["taskDefinition", "containerDefinitions", "name", "image"];
/** A container's memory stands as text: one of container and task must have it. */
const IN_CONTAINER = "memory";

function field(walk: Walk, name: string, schema: Schema, indent: number, off: boolean, kind: string): void {
  comment(walk, indent, schema.description, facts(schema));
  const put = (text: string) => walk.lines.push(`${" ".repeat(indent)}${off ? "# " : ""}${text}`);
  if (schema.properties) {
    put(`${name}:`);
    fields(walk, schema, indent + 2, off, kind);
  } else if (schema.type === "array" && schema.items?.properties) {
    put(`${name}:`);
    const from = walk.lines.length;
    fields(walk, schema.items, indent + 4, off, kind);
    dashFirst(walk, from, indent + 2);
  } else put(`${name}: ${example(name, schema)}`);
}

/** Turns the first field of a list's item into the line with the dash. */
function dashFirst({ lines }: Walk, from: number, indent: number): void {
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const [, blanks = "", mark = "", text = ""] = /^( *)(# )?(.*)$/.exec(line) ?? [];
    if (isComment(line) || blanks.length !== indent + 2) continue;
    lines[at] = `${" ".repeat(indent)}${mark}- ${text}`;
    return;
  }
}

/** An explanation, as against a field that stands as a comment. */
const isComment = (line: string): boolean => /^\s*## /.test(line);

function comment({ lines }: Walk, indent: number, ...texts: (string | undefined)[]): void {
  const words = texts
    .filter((text) => text !== undefined && text !== "")
    .join(" ")
    .split(/\s+/)
    .filter(Boolean);
  let line = "";
  for (const word of words) {
    if (line !== "" && indent + 3 + line.length + word.length + 1 > WIDTH) {
      lines.push(`${" ".repeat(indent)}## ${line}`);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  if (line !== "") lines.push(`${" ".repeat(indent)}## ${line}`);
}

function facts({ enum: values, minimum, maximum, default: preset }: Schema): string {
  const parts = [
    values && `One of ${values.join(", ")}.`,
    minimum !== undefined && maximum !== undefined
      ? `${minimum} to ${maximum}.`
      : minimum !== undefined
        ? `At least ${minimum}.`
        : undefined,
    preset !== undefined && typeof preset !== "object" && `Default ${JSON.stringify(preset)}.`,
  ];
  return parts.filter(Boolean).join(" ");
}

function example(name: string, schema: Schema): string {
  if (schema.default !== undefined) return JSON.stringify(schema.default);
  const known = EXAMPLES[name];
  if (known !== undefined && schema.type === "array" && !known.startsWith("[")) return `[${known}]`;
  if (known !== undefined) return schema.type === "string" && /^\d/.test(known) ? JSON.stringify(known) : known;
  if (schema.enum?.[0] !== undefined) return JSON.stringify(schema.enum[0]);
  if (schema.type === "integer" || schema.type === "number" || schema["x-kubernetes-int-or-string"])
    return String(schema.minimum ?? 1);
  if (schema.type === "boolean") return "false";
  if (schema.type === "array") return "[]";
  if (schema.type === "object" || schema.additionalProperties) return "{}";
  return `my-${name.toLowerCase()}`;
}
