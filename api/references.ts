// How one object points at another.
import type { ApiObject, OwnerReference } from "./meta.js";

/** An object of a known kind. */
export interface ObjectReference {
  namespace: string;
  name: string;
}

/** The reference that makes `owner` the object's controller: it goes when its owner goes. */
export function controllerReference(owner: ApiObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  const { name, uid } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** The reference to the object's controller, of which there is at most one. */
export const controllerOf = (object: ApiObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find(({ controller }) => controller === true);

/** Whether `owner` itself controls the object: another object of the same name has another uid. */
export const isControlledBy = (object: ApiObject, owner: ApiObject): boolean =>
  controllerOf(object)?.uid === owner.metadata.uid;

/** `namespace/name`, as work queues and messages name an object of a known kind. */
export const keyOf = ({ namespace, name }: ObjectReference): string => `${namespace}/${name}`;

/** @throws on text that no `keyOf` made: a bug of the caller */
export function parseKey(key: string): ObjectReference {
  const slash = key.indexOf("/");
  if (slash < 1 || slash === key.length - 1) throw new Error(`${JSON.stringify(key)} is no namespace/name`);
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
