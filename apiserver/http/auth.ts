import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { apiError } from "../../client/object-client.js";
import { unauthorized } from "../errors.js";
import { qualifiedName, type Resource } from "../resources/resource.js";

export interface Token {
  token: string;
  user: string;
  /** `system:masters` may do everything, `davit:viewers` may read; nobody else may do anything. */
  groups: readonly string[];
}

export interface User {
  name: string;
  groups: readonly string[];
}

/** Whose bearer token a request carries. @throws 401 */
export type Authenticate = (request: IncomingMessage) => User;

export function createAuthenticator(tokens: readonly Token[]): Authenticate {
  // Hashes have one length, as the constant-time comparison needs.
  const known = tokens.map(({ token, user, groups }) => ({ hash: sha256(token), user: { name: user, groups } }));
  return ({ headers }) => {
    const [, token = ""] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
    const hash = sha256(token);
    const match = token === "" ? undefined : known.find((each) => timingSafeEqual(each.hash, hash));
    if (match === undefined) throw unauthorized();
    return match.user;
  };
}

const sha256 = (text: string) => createHash("sha256").update(text).digest();

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";
const READS: ReadonlySet<Verb> = new Set<Verb>(["get", "list", "watch"]);

export interface Attempt {
  verb: Verb;
  resource: Resource;
  subresource?: string;
  namespace?: string;
  name?: string;
}

/** For reading what is no resource, as `/metrics`. @throws 403 */
export function authorizePath({ name, groups }: User, path: string): void {
  if (!groups.includes("system:masters") && !groups.includes("davit:viewers"))
    throw apiError(403, "Forbidden", `forbidden: User "${name}" cannot get path "${path}"`, {});
}

/** @throws 403 */
export function authorize(user: User, attempt: Attempt): void {
  if (user.groups.includes("system:masters")) return;
  if (user.groups.includes("davit:viewers") && READS.has(attempt.verb)) return;
  const { verb, resource, subresource, namespace, name } = attempt;
  const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const who = `User "${user.name}" cannot ${verb} resource "${what}" in API group "${resource.group}" ${where}`;
  const subject = name === undefined ? qualifiedName(resource) : `${qualifiedName(resource)} "${name}"`;
  throw apiError(403, "Forbidden", `${subject} is forbidden: ${who}`, {
    ...(name !== undefined && { name }),
    group: resource.group,
    kind: resource.plural,
  });
}
