import type { Registry } from "./registry/registry.js";

/** Makes sure of what is there on first use: the namespace `default`, and in it the cluster `default`
 *  (spec/01 §3). Safe to repeat, and to be killed in the middle of. */
export async function bootstrap(registry: Registry): Promise<void> {
  await ensure(registry, "", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "default", annotations: { "davit.dev/account": "000000000000" } },
  });
  await ensure(registry, "default", {
    apiVersion: "davit.dev/v1",
    kind: "Cluster",
    metadata: { name: "default" },
    spec: {},
  });
}

async function ensure(
  registry: Registry,
  namespace: string,
  object: {
    apiVersion: string;
    kind: string;
    metadata: { name: string; annotations?: Record<string, string> };
    [field: string]: unknown;
  },
): Promise<void> {
  const resource = registry.resources.byKind(object.apiVersion, object.kind);
  if (resource === undefined) throw new Error(`no kind ${object.kind} is served`);
  if (await registry.find(resource, { namespace, name: object.metadata.name })) return;
  await registry.create(resource, namespace, object, { validate: false }); // spares the start compiling schemas
}
