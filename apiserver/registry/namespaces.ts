import type { ApiObject } from "../../api/meta.js";
import { apiError } from "../../client/object-client.js";
import { Conflict, NotFound, type Store } from "../../store/store.js";
import { notFound } from "../errors.js";
import { keyOf, qualifiedName, type Ref, type Resource, type Resources } from "../resources/resource.js";
import type { RegistryContext } from "./context.js";

/** Whether objects may be created in a namespace. Asked on every create, so a good answer is remembered: all writes
 *  to namespaces come through this registry. */
export interface NamespaceGuard {
  /** Known to be open. When this says so, a create that is handed to the store at once comes before any deletion of
   *  the namespace. */
  isOpen(namespace: string): boolean;
  /** Finds out. @throws 404 if the namespace is missing, 403 if it is being deleted */
  admit(resource: Resource, ref: Ref): Promise<void>;
  /** Its deletion is about to be written: from here on nothing is let in. */
  close(name: string): void;
  /** It was written, or that failed: look again. */
  forget(name: string): void;
}

export function createNamespaceGuard(store: Store, resources: Resources): NamespaceGuard {
  const kind = namespaceKind(resources);
  const open = new Set<string>();
  const closed = new Set<string>();
  return {
    isOpen: (name) => open.has(name),
    async admit(resource, ref) {
      const { namespace: name } = ref;
      const entry = await store.get(keyOf(kind, { namespace: "", name }));
      if (entry === undefined) throw notFound(kind, { name });
      if (closed.has(name) || entry.object.metadata.deletionTimestamp !== undefined) throw terminating(resource, ref);
      open.add(name);
    },
    close(name) {
      open.delete(name);
      closed.add(name);
    },
    forget(name) {
      open.delete(name);
      closed.delete(name);
    },
  };
}

export function namespaceKind(resources: Resources): Resource {
  const kind = resources.byKind("v1", "Namespace");
  if (kind === undefined) throw new Error("no kind Namespace is served");
  return kind;
}

function terminating(resource: Resource, { namespace, name }: Ref) {
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const message = `${qualifiedName(resource)} "${name}" is forbidden: ${why}`;
  return apiError(403, "Forbidden", message, {
    name,
    group: resource.group,
    kind: resource.plural,
    causes: [
      {
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace",
      },
    ],
  });
}

/** Kubernetes keeps a namespace by `spec.finalizers` until it has been emptied. */
const NAMESPACE_FINALIZER = "kubernetes";

export const isNamespace = (resource: Resource) => resource.group === "" && resource.kind === "Namespace";

/** What the server itself writes into a new namespace. */
export const newNamespace = (object: ApiObject): ApiObject => ({
  ...object,
  spec: { finalizers: [NAMESPACE_FINALIZER] },
  status: { phase: "Active" },
});

/** Lets an emptied namespace go. If somebody writes to it just now, nothing happens: look again after that write. */
export async function finalizeNamespace(ctx: RegistryContext, name: string): Promise<void> {
  const entry = await ctx.store.get(keyOf(namespaceKind(ctx.resources), { namespace: "", name }));
  if (entry?.object.metadata.deletionTimestamp === undefined) return;
  const { finalizers = [] } = entry.object.metadata;
  try {
    // A copy of the metadata, because the store stamps its revision into it.
    const metadata = { ...entry.object.metadata };
    const kept = { ...entry.object, metadata, spec: { finalizers: [] } };
    if (finalizers.length > 0) await ctx.store.update(entry.key, kept, entry.revision);
    else await ctx.store.delete(entry.key, entry.revision);
  } catch (error) {
    if (!(error instanceof Conflict) && !(error instanceof NotFound)) throw error;
  }
  ctx.namespaces.forget(name);
}
