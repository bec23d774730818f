import type { IncomingMessage, ServerResponse } from "node:http";
import type { Ref, Resource, Resources } from "../resources/resource.js";
import { authorize, type User } from "./auth.js";

/** A subresource that the registry knows nothing of: it streams something of one object, e.g. `tasks/log`. */
export type Connect = (request: ConnectRequest) => Promise<void>;

export interface ConnectRequest {
  ref: Ref;
  query: URLSearchParams;
  request: IncomingMessage;
  response: ServerResponse;
  /** Aborted when the server closes or the client goes. */
  signal: AbortSignal;
}

/** By `<plural>/<subresource>`. A thrown ApiError is answered as its status. */
export type Connects = Readonly<Record<string, Connect>>;

export interface ConnectRoute {
  connect: Connect;
  resource: Resource;
  subresource: string;
  ref: Ref;
}

/** `/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUBRESOURCE`, where somebody serves that; else undefined. */
export function connectRoute(
  resources: Resources,
  connects: Connects,
  [root, group = "", version = "", scope, namespace = "", plural = "", name = "", subresource = "", ...more]: string[],
): ConnectRoute | undefined {
  const connect = Object.hasOwn(connects, `${plural}/${subresource}`)
    ? connects[`${plural}/${subresource}`]
    : undefined;
  if (root !== "apis" || scope !== "namespaces" || more.length > 0 || !connect) return undefined;
  const resource = resources.byPath(group, version, plural);
  return resource?.namespaced ? { connect, resource, subresource, ref: { namespace, name } } : undefined;
}

/** @throws 403 */
export function serveConnect(
  { connect, resource, subresource, ref }: ConnectRoute,
  exchange: Omit<ConnectRequest, "ref"> & { user: User },
): Promise<void> {
  authorize(exchange.user, { verb: "get", resource, subresource, ...ref });
  return connect({ ...exchange, ref });
}
