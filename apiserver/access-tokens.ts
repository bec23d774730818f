// AccessTokens of people and programs, as the authenticator asks for them at each request: in memory, kept up to date
// by a watch of the store.
import { setMaxListeners } from "node:events";
import { isSecretOf, parseToken } from "../api/access-token.js";
import type { Log } from "../api/log.js";
import type { ApiObject } from "../api/meta.js";
import type { AccessToken, AccessTokenSpec } from "../api/types.gen.js";
import { unauthorized } from "./errors.js";
import { follow } from "./follow.js";
import type { TokenLookup, User } from "./http/auth.js";
import type { Registry } from "./registry/registry.js";
import { prefixOf } from "./resources/resource.js";

export interface AccessTokensOptions {
  registry: Registry;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: Log;
  signal: AbortSignal;
}

export interface AccessTokens {
  userOf: TokenLookup;
  /** Every token of the store is known. */
  readonly ready: Promise<void>;
  /** Resolves after the signal. */
  readonly done: Promise<void>;
}

interface Known {
  object: ApiObject;
  spec: AccessTokenSpec;
  user: User;
  end: AbortController;
}

const GROUPS: Readonly<Record<NonNullable<AccessTokenSpec["role"]>, string>> = {
  admin: "system:masters",
  deployer: "davit:deployers",
  viewer: "davit:viewers",
};
/** How late a request that is still open may be cut after its token's end. */
const LOOK_MS = 1_000;

export function followAccessTokens({ registry, now, log, signal }: AccessTokensOptions): AccessTokens {
  /** By name, then by namespace: a token's text does not say which one. */
  const known = new Map<string, Map<string, Known>>();
  const resource = registry.resources.byKind("davit.dev/v1", "AccessToken");
  if (resource === undefined) throw new Error("no kind AccessToken is served");
  const prefix = prefixOf(resource);

  function put(object: ApiObject): void {
    const { spec, metadata } = object as AccessToken;
    const { name, namespace } = metadata;
    const inNamespaces = known.get(name) ?? new Map<string, Known>();
    known.set(name, inNamespaces);
    if (inNamespaces.get(namespace)?.spec.hash === spec.hash) return;
    drop(object);
    const end = new AbortController();
    // Each open request of its holder listens.
    setMaxListeners(0, end.signal);
    const groups = spec.use === "User" && spec.role ? [GROUPS[spec.role]] : [];
    const user = { name: `token:${namespace}/${name}`, groups, ended: end.signal };
    known.set(name, inNamespaces.set(namespace, { object, spec, user, end }));
  }
  function drop({ metadata: { name, namespace = "" } }: ApiObject): void {
    const inNamespaces = known.get(name);
    inNamespaces?.get(namespace)?.end.abort();
    inNamespaces?.delete(namespace);
    if (inNamespaces?.size === 0) known.delete(name);
  }
  const all = (): Known[] => [...known.values()].flatMap((inNamespaces) => [...inNamespaces.values()]);
  const isOver = ({ spec }: Known): boolean => Date.parse(spec.expiresAt) <= now();
  const timer = setInterval(() => {
    for (const each of all()) if (isOver(each)) each.end.abort();
  }, LOOK_MS).unref();

  let isReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const done = follow({
    store: registry.store,
    prefix,
    signal,
    log,
    async start() {
      const { entries, revision } = await registry.store.list(prefix);
      const there = new Set(entries.map(({ object }) => object.metadata.uid));
      for (const { object } of all()) if (!there.has(object.metadata.uid)) drop(object);
      for (const { object } of entries) put(object);
      isReady();
      return revision;
    },
    changed({ changes }) {
      for (const { type, object } of changes) type === "DELETED" ? drop(object) : put(object);
    },
  }).finally(() => clearInterval(timer));

  return {
    ready,
    done,
    userOf(text) {
      const token = parseToken(text);
      if (token === undefined) return undefined;
      const found = [...(known.get(token.name)?.values() ?? [])].find(({ spec }) =>
        isSecretOf(spec.hash, token.secret),
      );
      if (found === undefined)
        throw unauthorized(
          `the token ${token.name} is not known here: it was taken back, or belongs to another Davit; ask for a new one`,
        );
      const { use, expiresAt } = found.spec;
      if (use !== "User")
        throw unauthorized(`the token ${token.name} lets a machine join, and nobody in: ask for one with a role`);
      if (isOver(found)) throw unauthorized(`the token ${token.name} expired at ${expiresAt}: ask for a new one`);
      return found.user;
    },
  };
}
