import type { ObjectMeta } from "../../api/meta.js";
import type { Cause } from "../errors.js";
import type { Resource } from "../resources/resource.js";
import { forbiddenField, invalidValue, required, tooLong } from "./causes.js";
import { labelNameError, labelValueError, qualifiedNameError, subdomainError } from "./names.js";

const ANNOTATIONS_BYTES = 256 * 1024;

/** Checks metadata that already has the right types (the schema says so). `old` on update. */
export function checkMetadata(resource: Resource, metadata: ObjectMeta, old?: ObjectMeta): Cause[] {
  return [
    ...(old ? [] : checkName(resource, metadata.name)),
    ...checkLabels(metadata.labels),
    ...checkAnnotations(metadata.annotations),
    ...checkOwners(metadata.ownerReferences),
    ...checkFinalizers(metadata.finalizers, old),
  ];
}

function checkName({ group, plural }: Resource, name: string): Cause[] {
  if (name === "") return [required("metadata.name", "name or generateName is required")];
  const error = group === "" && plural === "namespaces" ? labelNameError(name) : subdomainError(name);
  return error === undefined ? [] : [invalidValue("metadata.name", name, error)];
}

function checkLabels(labels: Record<string, string> = {}): Cause[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...maybe(key, qualifiedNameError(key), "metadata.labels"),
    ...maybe(value, labelValueError(value), "metadata.labels"),
  ]);
}

function checkAnnotations(annotations: Record<string, string> = {}): Cause[] {
  let bytes = 0;
  const causes = Object.entries(annotations).flatMap(([key, value]) => {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    return maybe(key, qualifiedNameError(key.toLowerCase()), "metadata.annotations");
  });
  return bytes > ANNOTATIONS_BYTES ? [...causes, tooLong("metadata.annotations", ANNOTATIONS_BYTES)] : causes;
}

function checkOwners(owners: ObjectMeta["ownerReferences"] = []): Cause[] {
  const causes = owners.flatMap((owner) =>
    (["apiVersion", "kind", "name", "uid"] as const).flatMap((field) =>
      owner[field] === "" ? [invalidValue(`metadata.ownerReferences.${field}`, "", "must not be empty")] : [],
    ),
  );
  const controllers = owners.filter((owner) => owner.controller).map(({ kind, name }) => `${kind}/${name}`);
  if (controllers.length <= 1) return causes;
  const rule = "Only one reference can have Controller set to true";
  const found = `Found "true" in references for ${controllers.join(" and ")}`;
  return [...causes, invalidValue("metadata.ownerReferences", owners, `${rule}. ${found}`)];
}

function checkFinalizers(finalizers: string[] = [], old?: ObjectMeta): Cause[] {
  const causes = finalizers.flatMap((name) => maybe(name, qualifiedNameError(name), "metadata.finalizers"));
  if (old?.deletionTimestamp === undefined) return causes;
  const added = finalizers.filter((name) => !old.finalizers?.includes(name));
  if (added.length === 0) return causes;
  const rule = "no new finalizers can be added if the object is being deleted";
  return [...causes, forbiddenField("metadata.finalizers", `${rule}, found new finalizers ${JSON.stringify(added)}`)];
}

const maybe = (value: string, error: string | undefined, field: string): Cause[] =>
  error === undefined ? [] : [invalidValue(field, value, error)];
