import type { CustomResourceDefinition } from "../../api/crd.js";

/** The one core kind that is served, in the same form as Davit's own. It stays out of `crds/`, because a real
 *  Kubernetes server brings its own. */
export const namespaceDefinition: CustomResourceDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "namespaces" },
  spec: {
    group: "",
    scope: "Cluster",
    names: {
      plural: "namespaces",
      singular: "namespace",
      kind: "Namespace",
      listKind: "NamespaceList",
      shortNames: ["ns"],
      categories: [],
    },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: "Status", type: "string", description: "Active, or Terminating", jsonPath: ".status.phase" },
          {
            name: "Age",
            type: "date",
            description: "Time since it was created",
            jsonPath: ".metadata.creationTimestamp",
          },
        ],
        schema: {
          openAPIV3Schema: {
            type: "object",
            description: "A scope for names: one account of the cluster service.",
            properties: {
              spec: {
                type: "object",
                description: "What is asked of the namespace.",
                properties: {
                  finalizers: {
                    type: "array",
                    description: "While any is left, the namespace is not removed.",
                    items: { type: "string" },
                    "x-kubernetes-list-type": "atomic",
                  },
                },
              },
              status: {
                type: "object",
                description: "What the server knows of the namespace.",
                properties: {
                  phase: { type: "string", description: "Active, or Terminating while it is being emptied." },
                  conditions: {
                    type: "array",
                    description: "Why it is not gone yet.",
                    items: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};
