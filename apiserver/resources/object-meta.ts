import type { Schema } from "../../api/crd.js";

const string = (description: string): Schema => ({ type: "string", description });
const strings = (description: string): Schema => ({
  type: "object",
  description,
  additionalProperties: { type: "string" },
});
const time = (description: string): Schema => ({ type: "string", format: "date-time", description });

const ownerReference: Schema = {
  type: "object",
  description: "An object that this one belongs to: when all owners are gone, this one is collected.",
  required: ["apiVersion", "kind", "name", "uid"],
  properties: {
    apiVersion: string("API version of the owner."),
    kind: string("Kind of the owner."),
    name: string("Name of the owner."),
    uid: string("UID of the owner: another object of the same name is not the owner."),
    controller: { type: "boolean", description: "True for the one owner that manages this object." },
    blockOwnerDeletion: {
      type: "boolean",
      description: "True if the owner may not go before this object in foreground deletion.",
    },
  },
};

const managedFieldsEntry: Schema = {
  type: "object",
  description: "Which fields one writer owns.",
  properties: {
    manager: string("Who wrote."),
    operation: string("Apply or Update."),
    apiVersion: string("API version of the fields."),
    time: time("When it was last written."),
    fieldsType: string("Always FieldsV1."),
    fieldsV1: {
      type: "object",
      description: "The fields, as nested names.",
      "x-kubernetes-preserve-unknown-fields": true,
    },
    subresource: string("The subresource through which it was written."),
  },
};

/** metav1.ObjectMeta in full: kubectl 1.20 checks manifests against it before it sends anything. */
export const objectMetaSchema: Schema = {
  type: "object",
  description: "Metadata that every object has.",
  properties: {
    name: string("Name, unique per kind and namespace. It cannot change."),
    generateName: string("Prefix of a name that the server completes, if name is absent."),
    namespace: string("The namespace it lives in. It cannot change."),
    selfLink: string("Deprecated, never set."),
    uid: string("Unique in time and space. Set by the server."),
    resourceVersion: string("Changes with every write. Compare only for equality. Set by the server."),
    generation: {
      type: "integer",
      format: "int64",
      description: "Rises by one with every change of spec. Set by the server.",
    },
    creationTimestamp: time("When it was created. Set by the server."),
    deletionTimestamp: time("When its deletion was asked for. Set by the server."),
    deletionGracePeriodSeconds: {
      type: "integer",
      format: "int64",
      description: "Seconds allowed for a graceful end. Set by the server.",
    },
    labels: strings("Names and values to select objects by."),
    annotations: strings("Names and values that are kept, and are not selected by."),
    ownerReferences: {
      type: "array",
      description: "The objects that this one belongs to.",
      items: ownerReference,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
    },
    finalizers: {
      type: "array",
      description: "While any is left, the object stays, with a deletionTimestamp.",
      items: { type: "string" },
      "x-kubernetes-list-type": "set",
    },
    managedFields: {
      type: "array",
      description: "Who owns which fields.",
      items: managedFieldsEntry,
      "x-kubernetes-list-type": "atomic",
    },
  },
};
