// Documents as people write them; a test shows only what matters to it.

export const SERVICES = "/apis/davit.dev/v1/namespaces/default/services";
export const DEFINITIONS = "/apis/davit.dev/v1/namespaces/default/taskdefinitions";
export const CLUSTERS = "/apis/davit.dev/v1/namespaces/default/clusters";
export const FAMILIES = "/apis/davit.dev/v1/namespaces/default/taskdefinitionfamilies";

type Spec = Record<string, unknown>;
type Metadata = Record<string, unknown>;

export const service = (name: string, spec: Spec = {}, metadata: Metadata = {}) => ({
  apiVersion: "davit.dev/v1",
  kind: "Service",
  metadata: { name, ...metadata },
  spec: { taskDefinition: "web", desiredCount: 1, ...spec },
});

export const container = (name: string, fields: Spec = {}) => ({ name, image: "web:1", memory: 64, ...fields });

export const definition = (name: string, spec: Spec = {}) => ({
  apiVersion: "davit.dev/v1",
  kind: "TaskDefinition",
  metadata: { name },
  spec: { containerDefinitions: [container("web")], ...spec },
});

export const cluster = (name: string, spec: Spec = {}) => ({
  apiVersion: "davit.dev/v1",
  kind: "Cluster",
  metadata: { name },
  spec,
});
