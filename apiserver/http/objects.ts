import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiObject } from "../../api/meta.js";
import { apiError } from "../../client/object-client.js";
import { badRequest, methodNotAllowed } from "../errors.js";
import { strictDecodingError } from "../registry/admit.js";
import type { WriteOptions } from "../registry/context.js";
import { APPLY_PATCH } from "../registry/patch.js";
import type { Registry } from "../registry/registry.js";
import type { Ref, Resource } from "../resources/resource.js";
import { formOf } from "./accept.js";
import { type Attempt, authorize, type User, type Verb } from "./auth.js";
import { type Body, mediaTypeOf, parseJson, parseYaml, readBody, readText } from "./body.js";
import { deleteOptions, listQuery, writeQuery } from "./query.js";
import { type Renderer, renderer } from "./render.js";
import { addWarning, sendJson } from "./respond.js";
import type { ResourceRoute } from "./route.js";
import { streamWatch } from "./watch.js";

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  user: User;
  /** Aborted when the server closes or the client goes. */
  signal: AbortSignal;
}

export interface ObjectsOptions {
  registry: Registry;
  now: () => number;
  bookmarkMs: number;
}

/** One request for one object, a collection, or a subresource. */
interface Call extends Exchange {
  options: ObjectsOptions;
  route: ResourceRoute;
  resource: Resource;
  registry: Registry;
  render: Renderer;
}

export async function serveObjects(options: ObjectsOptions, route: ResourceRoute, exchange: Exchange): Promise<void> {
  const { resource, name } = route;
  const { request, query, user } = exchange;
  const verb = verbOf(request.method ?? "", route, query);
  authorize(user, attempt(verb, route));
  const form = formOf(request.headers.accept);
  // A scale has no columns of its own.
  const render = renderer(resource, route.subresource === "scale" ? "object" : form, query, options.now);
  const call: Call = { ...exchange, options, route, resource, registry: options.registry, render };
  if (name === undefined) return COLLECTION[verb]?.(call);
  const ref = { namespace: route.namespace ?? "", name };
  const verbs = route.subresource === "scale" ? SCALE : ITEM;
  return verbs[verb]?.(call, ref);
}

const METHODS: Record<string, { item?: Verb; collection?: Verb }> = {
  GET: { item: "get", collection: "list" },
  POST: { collection: "create" },
  PUT: { item: "update" },
  PATCH: { item: "patch" },
  DELETE: { item: "delete", collection: "deletecollection" },
};

function verbOf(method: string, route: ResourceRoute, query: URLSearchParams): Verb {
  const verb = METHODS[method]?.[route.name === undefined ? "collection" : "item"];
  const needsNamespace = route.resource.namespaced && route.namespace === undefined;
  if (verb === undefined || (needsNamespace && verb !== "list") || (route.subresource && verb === "delete"))
    throw methodNotAllowed();
  return verb === "list" && listQuery(query, undefined).watch ? "watch" : verb;
}

const attempt = (verb: Verb, { resource, namespace, name, subresource }: ResourceRoute): Attempt => ({
  verb,
  resource,
  ...(namespace !== undefined && { namespace }),
  ...(name !== undefined && { name }),
  ...(subresource !== undefined && { subresource }),
});

const COLLECTION: Partial<Record<Verb, (call: Call) => Promise<void>>> = {
  async list({ registry, resource, query, route, render, response }) {
    const options = listQuery(query, route.namespace);
    notNewer(options.resourceVersion, registry);
    sendJson(response, 200, render.list(await registry.list(resource, options)));
  },
  async watch({ registry, resource, query, route, render, response, signal, options: { bookmarkMs } }) {
    await streamWatch({
      registry,
      resource,
      query: listQuery(query, route.namespace),
      render,
      response,
      signal,
      bookmarkMs,
    });
  },
  async create(call) {
    const { registry, resource, route, render, response } = call;
    const options = writeOptions(call);
    const body = await readBody(call.request);
    checkDuplicates(call, body, options);
    const object = await registry.create(resource, route.namespace ?? "", withType(resource, body.value), options);
    sendJson(response, 201, render.one(object));
  },
  async deletecollection(call) {
    const { registry, resource, query, route, render, response } = call;
    const options = deleteOptions(query, await deleteBody(call));
    const removed = await registry.removeCollection(resource, listQuery(query, route.namespace), options);
    sendJson(response, 200, render.list(removed));
  },
};

const ITEM: Partial<Record<Verb, (call: Call, ref: Ref) => Promise<void>>> = {
  async get({ registry, resource, render, response }, ref) {
    sendJson(response, 200, render.one(await registry.get(resource, ref)));
  },
  async update(call, ref) {
    const { registry, resource, render, response } = call;
    const options = writeOptions(call);
    const body = await readBody(call.request);
    checkDuplicates(call, body, options);
    sendJson(response, 200, render.one(await registry.update(resource, ref, withType(resource, body.value), options)));
  },
  async patch(call, ref) {
    const { registry, resource, render, response } = call;
    const options = writeOptions(call);
    const [mediaType, body] = await readPatch(call, options);
    sendJson(response, 200, render.one(await registry.patch(resource, ref, mediaType, body, options)));
  },
  async delete(call, ref) {
    const { registry, resource, query, response, render } = call;
    const options = deleteOptions(query, await deleteBody(call));
    const { gone, object } = await registry.remove(resource, ref, options);
    sendJson(response, 200, gone ? deleted(resource, object) : render.one(object));
  },
};

const SCALE: Partial<Record<Verb, (call: Call, ref: Ref) => Promise<void>>> = {
  async get({ registry, resource, response }, ref) {
    sendJson(response, 200, await registry.getScale(resource, ref));
  },
  async update(call, ref) {
    const { registry, resource, request, response } = call;
    const { part: _, ...options } = writeOptions(call);
    const { value } = await readBody(request);
    sendJson(response, 200, await registry.updateScale(resource, ref, value, options));
  },
  async patch(call, ref) {
    const { registry, resource, response } = call;
    const { part: _, ...options } = writeOptions(call);
    const [mediaType, body] = await readPatch(call, options);
    sendJson(response, 200, await registry.patchScale(resource, ref, mediaType, body, options));
  },
};

function writeOptions({ query, response, route }: Call): WriteOptions {
  const part = route.subresource === "status" ? "status" : "main";
  return { ...writeQuery(query), part, warn: (text) => addWarning(response, text) };
}

async function readPatch(call: Call, options: WriteOptions): Promise<[mediaType: string, body: unknown]> {
  const mediaType = mediaTypeOf(call.request);
  if (call.query.get("force") && mediaType !== APPLY_PATCH)
    throw badRequest("force: Forbidden: may not be specified for non-apply patch");
  const text = await readText(call.request);
  const body = mediaType === APPLY_PATCH ? parseYaml(text) : parseJson(text);
  checkDuplicates(call, body, options);
  return [mediaType, body.value];
}

async function deleteBody({ request }: Call): Promise<unknown> {
  const text = await readText(request);
  return text.trim() === "" ? undefined : parseJson(text).value;
}

function checkDuplicates({ resource }: Call, { duplicates }: Body, { fieldValidation, warn }: WriteOptions): void {
  if (duplicates.length === 0 || fieldValidation === "Ignore") return;
  const sentences = duplicates.map((path) => `duplicate field "${path}"`);
  if (fieldValidation !== "Warn") throw badRequest(strictDecodingError(resource, sentences));
  for (const sentence of sentences) warn?.(sentence);
}

/** As in Kubernetes, a body may leave out what the address already says. */
function withType({ apiVersion, kind }: Resource, body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const given = body as { apiVersion?: unknown; kind?: unknown };
  return given.apiVersion === undefined && given.kind === undefined ? { ...given, apiVersion, kind } : body;
}

/** @throws 504 as Kubernetes does: this server has not seen that version yet. */
function notNewer(resourceVersion: string, { store }: Registry): void {
  if (Number(resourceVersion) <= store.revision()) return;
  const message = `Too large resource version: ${resourceVersion}, current: ${store.revision()}`;
  throw apiError(504, "Timeout", message, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "" }],
    retryAfterSeconds: 1,
  });
}

const deleted = ({ plural, group }: Resource, { metadata }: ApiObject) => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  details: { name: metadata.name, ...(group !== "" && { group }), kind: plural, uid: metadata.uid },
});
