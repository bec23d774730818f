import { notAcceptable } from "../errors.js";

/** The form in which a client wants objects. */
export type Form = "object" | "Table" | "PartialObjectMetadata";

interface MediaRange {
  type: string;
  parameters: Record<string, string>;
}

/** The media ranges of an Accept header, in the client's order (no client of this API uses weights). */
export function mediaRanges(accept = "*/*"): MediaRange[] {
  return accept.split(",").map((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    return { type: type.toLowerCase(), parameters: Object.fromEntries(parameters.map(pair)) };
  });
}

const pair = (text: string): [string, string] => {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
};

const JSON_TYPES = new Set(["application/json", "application/*", "*/*"]);

/** The first form asked for that can be given. @throws 406 */
export function formOf(accept: string | undefined): Form {
  for (const { type, parameters } of mediaRanges(accept)) {
    if (!JSON_TYPES.has(type)) continue;
    const { as = "", g, v } = parameters;
    if (as === "") return "object";
    const isMeta = g === "meta.k8s.io" && v === "v1";
    if (as === "Table" && isMeta) return "Table";
    if ((as === "PartialObjectMetadata" || as === "PartialObjectMetadataList") && isMeta)
      return "PartialObjectMetadata";
  }
  throw notAcceptable(["application/json", "application/json;as=Table;v=v1;g=meta.k8s.io"]);
}
