import type { ApiObject } from "../../api/meta.js";
import type { Store } from "../../store/store.js";
import { failure, notFound } from "../errors.js";
import { keyOf, qualifiedName, type Ref, type Resource, type Resources } from "../resources/resource.js";

/** Whether objects may be created in a namespace. Asked on every create, so the answer is remembered; the registry
 *  is the only writer and forgets it with each write to a namespace. */
export interface NamespaceGuard {
  /** @throws 404 if the namespace is missing, 403 if it is being deleted. */
  admit(resource: Resource, ref: Ref): Promise<void> | void;
  /** A namespace was written. */
  forget(name: string): void;
}

export function createNamespaceGuard(store: Store, resources: Resources): NamespaceGuard {
  const kind = resources.byKind("v1", "Namespace");
  if (kind === undefined) throw new Error("no kind Namespace");
  const active = new Set<string>();

  async function lookUp(resource: Resource, ref: Ref, namespaceKind: Resource): Promise<void> {
    const name = ref.namespace;
    const entry = await store.get(keyOf(namespaceKind, { namespace: "", name }));
    if (entry === undefined) throw notFound(namespaceKind, { name });
    if (entry.object.metadata.deletionTimestamp !== undefined) throw terminating(resource, ref);
    active.add(name);
  }
  return {
    admit: (resource, ref) => (active.has(ref.namespace) ? undefined : lookUp(resource, ref, kind)),
    forget: (name) => active.delete(name),
  };
}

function terminating(resource: Resource, { namespace, name }: Ref) {
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const message = `${qualifiedName(resource)} "${name}" is forbidden: ${why}`;
  return failure(403, "Forbidden", message, {
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
export const NAMESPACE_FINALIZER = "kubernetes";

export const isNamespace = (resource: Resource) => resource.group === "" && resource.kind === "Namespace";

/** What the server itself writes into a new namespace. */
export const newNamespace = (object: ApiObject): ApiObject => ({
  ...object,
  spec: { finalizers: [NAMESPACE_FINALIZER] },
  status: { phase: "Active" },
});
