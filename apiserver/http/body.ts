import type { IncomingMessage } from "node:http";
import { load } from "js-yaml";
import { badRequest, tooLarge, unsupportedMediaType } from "../errors.js";
import { duplicateFields } from "./duplicate-fields.js";

/** As in Kubernetes: what etcd takes, with room for the encoding. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;

export interface Body {
  value: unknown;
  /** Paths that the text gives more than once; the last one counts. */
  duplicates: readonly string[];
}

/** The media type of a request's body, without parameters; "" if it says none. */
export const mediaTypeOf = ({ headers }: IncomingMessage) =>
  (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

/** @throws 400 (no JSON or YAML), 413, 415 */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const text = await readText(request);
  switch (mediaTypeOf(request)) {
    case "application/json":
    case "":
      return parseJson(text);
    case "application/yaml":
      return parseYaml(text);
    case "application/vnd.kubernetes.protobuf":
      throw unsupportedMediaType(
        "application/vnd.kubernetes.protobuf is not read by this server yet - accepted media types include: " +
          "application/json, application/yaml (kubectl create uses it for core kinds: apply a manifest instead)",
      );
    default:
      throw unsupportedMediaType(
        "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
      );
  }
}

/** What is read and dropped of a body that is too large: a client that is still writing would not hear the answer. */
const MAX_DRAINED_BYTES = 10 * MAX_BODY_BYTES;

export async function readText(request: IncomingMessage): Promise<string> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > MAX_DRAINED_BYTES) throw tooLarge(MAX_BODY_BYTES);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_DRAINED_BYTES) break;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) throw tooLarge(MAX_BODY_BYTES);
  return Buffer.concat(chunks).toString("utf8");
}

export function parseJson(text: string): Body {
  try {
    return { value: JSON.parse(text), duplicates: duplicateFields(text) };
  } catch (error) {
    throw badRequest(`the body is no JSON: ${(error as Error).message}`);
  }
}

const MAX_NODES = 500_000;

/** Aliases are followed when the object is used, so a small text can hold an enormous one: that is counted here. */
export function parseYaml(text: string): Body {
  let value: unknown;
  try {
    value = load(text);
  } catch (error) {
    throw badRequest(`the body is no YAML: ${(error as Error).message}`);
  }
  if (countNodes(value, MAX_NODES) > MAX_NODES)
    throw badRequest(`the YAML has more than ${MAX_NODES} values once its aliases are followed`);
  return { value, duplicates: [] };
}

function countNodes(value: unknown, limit: number): number {
  if (typeof value !== "object" || value === null) return 1;
  let count = 1;
  for (const part of Object.values(value)) {
    count += countNodes(part, limit - count);
    if (count > limit) break;
  }
  return count;
}
