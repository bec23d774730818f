import type { ApiObject } from "../../api/meta.js";
import { badRequest } from "../errors.js";
import { parseLabelSelector } from "./label-selector.js";

export interface SelectionOptions {
  /** All namespaces if absent. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface Selection {
  /** The one name that can match, if the selector says so. */
  name?: string;
  /** True if every object matches. */
  all: boolean;
  matches(object: ApiObject): boolean;
}

/** @throws 400 if a selector does not parse, or names a field that cannot be selected by. */
export function parseSelection({ labelSelector = "", fieldSelector = "" }: SelectionOptions): Selection {
  const byLabels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector(fieldSelector);
  const name = fields.find(({ field, equal }) => equal && field === "metadata.name")?.value;
  return {
    ...(name !== undefined && { name }),
    all: byLabels === undefined && fields.length === 0,
    matches: ({ metadata }) =>
      (byLabels === undefined || byLabels(metadata.labels ?? {})) &&
      fields.every(({ field, equal, value }) => ((SELECTABLE[field]?.(metadata) ?? "") === value) === equal),
  };
}

const SELECTABLE: Record<string, (metadata: ApiObject["metadata"]) => string | undefined> = {
  "metadata.name": ({ name }) => name,
  "metadata.namespace": ({ namespace }) => namespace,
};

interface FieldTerm {
  field: string;
  equal: boolean;
  value: string;
}

function parseFieldSelector(text: string): FieldTerm[] {
  if (text.trim() === "") return [];
  return text.split(",").map((term) => {
    const [, field = "", operator = "", value = ""] = /^([^=!]*)(==|!=|=)(.*)$/.exec(term) ?? [];
    if (operator === "") throw badRequest(`invalid field selector: ${JSON.stringify(term)}; can't understand it`);
    if (!Object.hasOwn(SELECTABLE, field)) throw badRequest(`field label not supported: ${field}`);
    return { field, equal: operator !== "!=", value };
  });
}
