import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { noSuchPath, notAcceptable } from "../errors.js";
import type { Resources } from "../resources/resource.js";
import { encodeV2, V2_CONTENT_TYPE } from "./openapi-v2.js";
import { groupDocument } from "./openapi-v3.js";
import { sendJson } from "./respond.js";

/** Answers `/openapi/…`; `segments` is what comes after that. @throws 404, 406 */
export type ServeOpenApi = (
  request: IncomingMessage,
  response: ServerResponse,
  segments: readonly string[],
) => Promise<void>;

interface GroupDocument {
  text: Buffer;
  hash: string;
}

/** The documents are made when first asked for, and kept as they are sent. */
export function createOpenApi(resources: Resources): ServeOpenApi {
  let groups: Map<string, GroupDocument> | undefined;
  let v2: Promise<Uint8Array> | undefined;

  return async (request, response, [version, ...path]) => {
    if (request.method !== "GET") throw noSuchPath();
    if (version === "v2" && path.length === 0) {
      const accept = request.headers.accept ?? "";
      if (!/protobuf|\*\/\*/.test(accept)) throw notAcceptable([V2_CONTENT_TYPE]);
      v2 ??= encodeV2(resources.all);
      return sendBytes(response, await v2);
    }
    if (version !== "v3") throw noSuchPath();
    groups ??= groupDocuments(resources);
    if (path.length === 0) return sendJson(response, 200, index(groups));
    const document = groups.get(path.join("/"));
    if (document === undefined) throw noSuchPath();
    sendDocument(request, response, document);
  };
}

function groupDocuments(resources: Resources): Map<string, GroupDocument> {
  const addresses = new Set(resources.all.map(address));
  return new Map(
    [...addresses].map((each) => [each, encode(groupDocument(resources.all.filter((r) => address(r) === each)))]),
  );
}

const address = ({ group, version }: { group: string; version: string }) =>
  group === "" ? `api/${version}` : `apis/${group}/${version}`;

function encode(document: object): GroupDocument {
  const text = Buffer.from(JSON.stringify(document));
  return { text, hash: createHash("sha512").update(text).digest("hex").toUpperCase() };
}

const index = (groups: ReadonlyMap<string, GroupDocument>) => ({
  paths: Object.fromEntries(
    [...groups].map(([path, { hash }]) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }]),
  ),
});

function sendDocument(request: IncomingMessage, response: ServerResponse, { text, hash }: GroupDocument): void {
  const etag = `"${hash}"`;
  const headers = { ETag: etag, Vary: "Accept", "Cache-Control": "public, immutable" };
  if (request.headers["if-none-match"] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, "Content-Type": "application/json", "Content-Length": text.length });
  response.end(text);
}

function sendBytes(response: ServerResponse, bytes: Uint8Array): void {
  response.writeHead(200, { "Content-Type": V2_CONTENT_TYPE, "Content-Length": bytes.length });
  response.end(bytes);
}
