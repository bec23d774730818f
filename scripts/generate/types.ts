// From crds/ to api/types.gen.ts: every schema node with a `title` becomes a named type, every kind its interface.
import type { CustomResourceDefinition, Schema } from "../../api/crd.js";

/** Types that are not generated: written by hand in api/meta.ts. */
const BY_HAND = ["Condition"];

/** The order of the kinds in the generated file: as somebody meets them. */
const ORDER = [
  "Cluster",
  "TaskDefinition",
  "TaskDefinitionFamily",
  "TaskDefinitionRevision",
  "Service",
  "TaskSet",
  "Task",
  "ContainerInstance",
  "AccessToken",
];

/** Named types in the order in which they were met, and which text each name stands for. */
class Names {
  readonly declarations = new Map<string, { declaration: string; comment: string }>();

  /** @throws when two schemas carry one title but differ: they would be one type with two shapes. */
  declare(name: string, declaration: string, comment: string): void {
    const known = this.declarations.get(name);
    if (known && known.declaration !== declaration)
      throw new Error(`two schemas with title ${name} differ:\n${known.declaration}\n${declaration}`);
    this.declarations.set(name, { declaration, comment: known?.comment || comment });
  }

  /** A property's description tells what the field is for; only an item's (or a spec's) describes the type itself. */
  typeOf(schema: Schema, describes: "type" | "field" = "type"): string {
    const { title } = schema;
    if (title === undefined) return this.bodyOf(schema);
    if (!BY_HAND.includes(title)) {
      const body = this.bodyOf(schema);
      const isObject = schema.properties !== undefined;
      this.declare(
        title,
        isObject ? `export interface ${title} ${body}` : `export type ${title} = ${body};`,
        describes === "type" ? comment(schema) : "",
      );
    }
    return title;
  }

  private bodyOf(schema: Schema): string {
    if (schema["x-kubernetes-int-or-string"]) return "string | number";
    if (schema["x-kubernetes-preserve-unknown-fields"]) return "unknown";
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    if (schema.type === "array") return this.arrayOf(schema.items ?? {});
    if (schema.type === "object") return this.objectOf(schema);
    return schema.type === "integer" ? "number" : (schema.type ?? "unknown");
  }

  private arrayOf(items: Schema): string {
    const type = this.typeOf(items);
    return /^[\w.]+$/.test(type) ? `${type}[]` : `Array<${type}>`;
  }

  private objectOf(schema: Schema): string {
    if (schema.additionalProperties) return `Record<string, ${this.typeOf(schema.additionalProperties)}>`;
    if (!schema.properties) return "Record<string, unknown>";
    const lines = Object.entries(schema.properties).map(([name, property]) => {
      const optional = schema.required?.includes(name) ? "" : "?";
      return indent(`${comment(property)}${name}${optional}: ${this.typeOf(property, "field")};`);
    });
    return `{\n${lines.join("\n")}\n}`;
  }
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, "  ");

function comment({ description, default: fallback }: Schema): string {
  const text = [description, fallback === undefined ? undefined : `@default ${JSON.stringify(fallback)}`]
    .filter((part) => part !== undefined)
    .join(" ");
  return text === "" ? "" : `/** ${text.replaceAll("*/", "*\\/")} */\n`;
}

function kindInterface(crd: CustomResourceDefinition, names: Names): string {
  const { kind } = crd.spec.names;
  const { description, properties = {} } = schemaOf(crd);
  const fields = [`apiVersion: "davit.dev/v1";`, `kind: "${kind}";`, "metadata: ObjectMeta;"];
  if (properties.spec) fields.push(`spec: ${names.typeOf(properties.spec)};`);
  if (properties.status) fields.push(`status?: ${names.typeOf(properties.status)};`);
  return `/** ${description} */\nexport interface ${kind} extends ApiObject {\n${indent(fields.join("\n"))}\n}`;
}

/** The schema of the one served version. */
export function schemaOf(crd: CustomResourceDefinition): Schema {
  const [version] = crd.spec.versions;
  if (!version) throw new Error(`${crd.metadata.name} has no version`);
  return version.schema.openAPIV3Schema;
}

function kindsTable(crds: readonly CustomResourceDefinition[]): string {
  const rows = crds.map(({ spec }) => {
    const { kind, plural, singular, shortNames } = spec.names;
    const subresources = spec.versions[0]?.subresources;
    const served = { plural, singular, shortNames, status: subresources?.status !== undefined };
    return `  ${kind}: ${JSON.stringify({ ...served, scale: subresources?.scale !== undefined })},`;
  });
  return rows.join("\n");
}

/** The whole of api/types.gen.ts. */
export function typesFile(all: readonly CustomResourceDefinition[]): string {
  const crds = [...all].sort((a, b) => ORDER.indexOf(a.spec.names.kind) - ORDER.indexOf(b.spec.names.kind));
  const names = new Names();
  const kinds = crds.map((crd) => kindInterface(crd, names));
  const types = [...names.declarations.values()].map(({ declaration, comment }) => `${comment}${declaration}`);
  const list = crds.map(({ spec }) => `  ${spec.names.kind}: ${spec.names.kind};`);
  return `// Generated from crds/ by \`npm run generate\`. Do not edit.
import type { ApiObject, Condition, NewObjectMeta, ObjectMeta } from "./meta.js";

${types.join("\n")}

${kinds.join("\n")}

/** Every Davit kind by name. */
export interface Kinds {
${list.join("\n")}
}
export type Kind = keyof Kinds;
/** What is sent to create an object of a kind. */
export type New<K extends Kind> = Omit<Kinds[K], "metadata"> & { metadata: NewObjectMeta };

/** How a kind is served. */
export interface ServedKind {
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** Whether it has the subresources \`status\` and \`scale\`. */
  readonly status: boolean;
  readonly scale: boolean;
}
export const KINDS: { readonly [K in Kind]: ServedKind } = {
${kindsTable(crds)}
};
`;
}
