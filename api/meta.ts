// Kubernetes object metadata, as the API conventions define it: what every Davit object carries.

/** @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export interface ObjectMeta {
  name: string;
  namespace: string;
  /** RFC 4122, set once by the API server. A task's ECS id is this without hyphens. */
  uid: string;
  /** The store revision of the last write, as a decimal string. Compare only for equality, or within one store. */
  resourceVersion: string;
  /** Rises by one with each change of `spec`, never with a change of `status` or `metadata`. */
  generation: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  generateName?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: ManagedFieldsEntry[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  manager: string;
  operation: "Apply" | "Update";
  apiVersion: string;
  time?: string;
  fieldsType: "FieldsV1";
  fieldsV1: Record<string, unknown>;
  subresource?: string;
}

/** What a client sends to create an object: the server fills in the rest of the metadata. */
export type NewObjectMeta = Partial<ObjectMeta> & ({ name: string } | { generateName: string });

/** Any Kubernetes-style object. Objects that come out of a store, an informer or a client are shared: never mutate one. */
export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: unknown;
  status?: unknown;
}

/** metav1.Condition. */
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}
