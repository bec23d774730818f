import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { apiError } from "../../client/object-client.js";
import { unauthorized } from "../errors.js";
import { qualifiedName, type Resource } from "../resources/resource.js";

export interface Token {
  token: string;
  user: string;
  /** `system:masters` may do everything, `davit:deployers` read and deploy, `davit:viewers` read; nobody else may do
   *  anything. */
  groups: readonly string[];
}

export interface User {
  name: string;
  groups: readonly string[];
  /** Aborted once what the request has shown is no good any more. */
  ended?: AbortSignal;
}

/** Whose bearer token a request carries. @throws 401 */
export type Authenticate = (request: IncomingMessage) => User;
/** Whose token it is; undefined if it has another form. @throws 401 */
export type TokenLookup = (token: string) => User | undefined;

export function createAuthenticator(tokens: readonly Token[], lookup: TokenLookup): Authenticate {
  // Hashes have one length, as the constant-time comparison needs.
  const known = tokens.map(({ token, user, groups }) => ({ hash: sha256(token), user: { name: user, groups } }));
  return ({ headers }) => {
    refuseImpersonation(headers);
    const [, token = ""] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "") ?? [];
    if (token === "") throw unauthorized();
    const user = lookup(token);
    if (user !== undefined) return user;
    const hash = sha256(token);
    const match = known.find((each) => timingSafeEqual(each.hash, hash));
    if (match === undefined) throw unauthorized();
    return match.user;
  };
}

/** Nobody acts as somebody else here. Who asks for it, as `kubectl --as` does, wants less than his own rights, and must
 *  not get these. @throws 403 */
function refuseImpersonation(headers: IncomingHttpHeaders): void {
  const header = Object.keys(headers).find((name) => name.startsWith("impersonate-"));
  if (header === undefined) return;
  const why = `the header ${header} (kubectl --as) is not served: make a token with that role (davit token create --role)`;
  throw apiError(403, "Forbidden", `forbidden: impersonation: ${why}`, {});
}

const sha256 = (text: string) => createHash("sha256").update(text).digest();

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";
const READS: ReadonlySet<Verb> = new Set<Verb>(["get", "list", "watch"]);
/** What a deployer may write, itself and its scale; a status is its controller's. */
const DEPLOYED: ReadonlySet<string> = new Set(["taskdefinitions", "services", "tasksets", "tasks"]);

export interface Attempt {
  verb: Verb;
  resource: Resource;
  subresource?: string;
  namespace?: string;
  name?: string;
}

const reads = ({ verb }: Attempt): boolean => READS.has(verb);
const deploys = ({ resource, subresource }: Attempt): boolean =>
  resource.group === "davit.dev" &&
  DEPLOYED.has(resource.plural) &&
  (subresource === undefined || subresource === "scale");

/** What each group may do; nobody else may do anything. */
const RIGHTS: Readonly<Record<string, (attempt: Attempt) => boolean>> = {
  "system:masters": () => true,
  "davit:deployers": (attempt) => reads(attempt) || deploys(attempt),
  "davit:viewers": reads,
};

/** For reading what is no resource, as `/metrics`. @throws 403 */
export function authorizePath({ name, groups }: User, path: string): void {
  if (!groups.some((group) => Object.hasOwn(RIGHTS, group)))
    throw apiError(403, "Forbidden", `forbidden: User "${name}" cannot get path "${path}"`, {});
}

/** @throws 403 */
export function authorize(user: User, attempt: Attempt): void {
  if (user.groups.some((group) => Object.hasOwn(RIGHTS, group) && RIGHTS[group]?.(attempt))) return;
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
