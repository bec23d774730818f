import type { ApiObject } from "../../api/meta.js";
import type { Key } from "../../store/store.js";

export const keyOf = (name: string, namespace = "default", resource = "tasks.davit.dev"): Key =>
  `${resource}/${namespace}/${name}`;

/** A fresh object of the least shape: the store takes ownership of what it is given. */
export function objectNamed(name: string, spec: unknown = {}, namespace = "default"): ApiObject {
  return {
    apiVersion: "davit.dev/v1",
    kind: "Task",
    metadata: { name, namespace, uid: `uid-${name}`, resourceVersion: "", generation: 1, creationTimestamp: "" },
    spec,
  };
}
