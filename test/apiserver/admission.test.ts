// Rules about one object, refused at admission with the field's path: the CRDs in crds/ through the whole server.
import assert from "node:assert/strict";
import type { ApiObject } from "../../api/meta.js";
import { loadResources } from "../../apiserver/resources/load.js";
import { validatorOf } from "../../apiserver/validation/validator.js";
import {
  CLUSTERS,
  cluster,
  container,
  DEFINITIONS,
  definition,
  FAMILIES,
  SERVICES,
  service,
} from "./support/objects.js";
import { startServer, type TestServer } from "./support/server.js";

const containers = (count: number) => Array.from({ length: count }, (_, i) => container(`c${i}`));
const one = (fields: object) =>
  definition("x", { containerDefinitions: [container("web", fields as Record<string, unknown>)] });
const health = (fields: object) => one({ healthCheck: { command: ["CMD", "true"], ...fields } });
const { name: _, ...nameless } = container("web");
const { image: __, ...imageless } = container("web");

describe("admission", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer("admission");
  });
  after(() => server.close());

  const answer = async (path: string, object: object) => {
    const { code, body } = await server.call("POST", `${path}?dryRun=All`, object);
    return { code, text: body.message ?? "" };
  };
  const accepts = (title: string, path: string, object: object) =>
    it(title, async () => {
      const { code, text } = await answer(path, object);
      assert.equal(code, 201, text);
    });
  /** Each row: refused, and the text names the field. */
  const refuses = (title: string, path: string, rows: readonly (readonly [object: object, field: string])[]) =>
    it(title, async () => {
      for (const [object, field] of rows) {
        const { code, text } = await answer(path, object);
        assert(code === 422 || code === 400, `${code}: ${JSON.stringify(object)}`);
        assert(text.includes(field), `${field} is not in: ${text}`);
      }
    });

  const named = (clusterName: string) => cluster("x", { clusterName });
  it("[01-2] a cluster name of 255 characters is taken, of 256 refused", async () => {
    assert.equal((await answer(CLUSTERS, named("a".repeat(255)))).code, 201);
    const { code, text } = await answer(CLUSTERS, named("a".repeat(256)));
    assert.deepEqual(
      [code, text],
      [422, 'Cluster.davit.dev "x" is invalid: spec.clusterName: Too long: may not be more than 255 bytes'],
    );
  });
  it("[01-3] [09-3] a cluster name has letters, digits, - and _ only", async () => {
    assert.equal((await answer(CLUSTERS, named("Prod_1-a"))).code, 201);
    for (const bad of ["my cluster", "my.cluster", "é", ""]) {
      const { code, text } = await answer(CLUSTERS, named(bad));
      assert.equal(code, 422, bad);
      assert.match(text, /spec\.clusterName: Invalid value/);
    }
    assert.match((await answer(CLUSTERS, named("a".repeat(256)))).text, /spec\.clusterName: Too long/);
  });

  refuses(
    "[01-27] [02-2] a definition without a name, without containers, or with a container without name or image",
    DEFINITIONS,
    [
      [{ ...definition("x"), metadata: {} }, "metadata.name: Required value"],
      [{ ...definition("x"), spec: {} }, "spec.containerDefinitions: Required value"],
      [definition("x", { containerDefinitions: [] }), "spec.containerDefinitions"],
      [definition("x", { containerDefinitions: [nameless] }), "spec.containerDefinitions[0].name: Required value"],
      [definition("x", { containerDefinitions: [imageless] }), "spec.containerDefinitions[0].image: Required value"],
    ],
  );
  accepts("ten containers", DEFINITIONS, definition("x", { containerDefinitions: containers(10) }));
  refuses("[09-23] eleven containers, or more than 64 KiB", DEFINITIONS, [
    [
      definition("x", { containerDefinitions: containers(11) }),
      "spec.containerDefinitions: Too many: 11: must have at most 10 items",
    ],
    [one({ command: ["x".repeat(65_536)] }), "Max allowed length is '65536' bytes."],
  ]);
  refuses("[02-3] a container or volume name of 256 characters, or with a space", DEFINITIONS, [
    [
      definition("x", { containerDefinitions: [container("a".repeat(256))] }),
      "spec.containerDefinitions[0].name: Too long",
    ],
    [definition("x", { containerDefinitions: [container("a b")] }), "spec.containerDefinitions[0].name: Invalid value"],
    [definition("x", { volumes: [{ name: "a".repeat(256) }] }), "spec.volumes[0].name: Too long"],
    [definition("x", { volumes: [{ name: "a b" }] }), "spec.volumes[0].name: Invalid value"],
  ]);
  refuses("two containers of one name", DEFINITIONS, [
    [
      definition("x", { containerDefinitions: [container("a"), container("a")] }),
      'spec.containerDefinitions[1]: Duplicate value: {"name":"a"}',
    ],
  ]);
  refuses("[01-33] [02-5] networkMode none with a port mapping", DEFINITIONS, [
    [
      definition("x", {
        networkMode: "none",
        containerDefinitions: [container("a", { portMappings: [{ containerPort: 80 }] })],
      }),
      "networkMode none",
    ],
  ]);
  refuses("[02-6] host or awsvpc mode with a host port that is not the container's", DEFINITIONS, [
    ...["host", "awsvpc"].map(
      (networkMode) =>
        [
          definition("x", {
            networkMode,
            containerDefinitions: [container("a", { portMappings: [{ containerPort: 80, hostPort: 8080 }] })],
          }),
          'container "a"',
        ] as const,
    ),
  ]);
  refuses("[02-15] a container with neither memory nor memoryReservation", DEFINITIONS, [
    [definition("x", { containerDefinitions: [{ name: "a", image: "b" }] }), "memory"],
  ]);
  refuses("[02-16] memory that is no more than memoryReservation", DEFINITIONS, [
    [one({ memory: 64, memoryReservation: 64 }), "memoryReservation"],
    [one({ memory: 64, memoryReservation: 128 }), "memoryReservation"],
  ]);
  refuses("[02-19] more memory for the containers than for the task", DEFINITIONS, [
    [definition("x", { memory: "100", containerDefinitions: [container("a"), container("b")] }), "memory"],
  ]);
  refuses("[02-24] no essential container", DEFINITIONS, [[one({ essential: false }), "essential"]]);
  refuses("[02-26] health check figures out of their bounds", DEFINITIONS, [
    [health({ interval: 4 }), "healthCheck.interval"],
    [health({ interval: 301 }), "healthCheck.interval"],
    [health({ timeout: 1 }), "healthCheck.timeout"],
    [health({ timeout: 61 }), "healthCheck.timeout"],
    [health({ retries: 0 }), "healthCheck.retries"],
    [health({ retries: 11 }), "healthCheck.retries"],
    [health({ startPeriod: 301 }), "healthCheck.startPeriod"],
  ]);
  refuses("[02-33] links outside of bridge mode", DEFINITIONS, [
    [
      definition("x", {
        networkMode: "host",
        containerDefinitions: [container("a"), container("b", { links: ["a"] })],
      }),
      "links",
    ],
  ]);

  it("tags of any letters", async () => {
    const { code, text } = await answer(
      DEFINITIONS,
      definition("x", { tags: [{ key: "schlüssel:ключ", value: "größe" }] }),
    );
    assert.equal(code, 201, text);
  });
  it("nulls as real documents have them are dropped", async () => {
    const { code, body } = await server.call("POST", `${DEFINITIONS}?dryRun=All`, one({ ulimits: null, links: null }));
    assert.equal(code, 201, body.message);
    assert.equal(JSON.stringify(body.spec).includes("null"), false);
  });
  it("cpu and memory of a task as a number or as text", async () => {
    for (const [cpu, memory] of [
      [256, 512],
      ["256", "512"],
      ["0.25 vCPU", "0.5 GB"],
    ]) {
      const { code, text } = await answer(DEFINITIONS, definition("x", { cpu, memory }));
      assert.equal(code, 201, text);
    }
  });

  it("what may never change does not", async () => {
    const MERGE = { "Content-Type": "application/merge-patch+json" };
    await server.call("POST", SERVICES, service("fixed"));
    const moved = await server.call("PATCH", `${SERVICES}/fixed`, { spec: { cluster: "other" } }, MERGE);
    assert.equal(moved.code, 422);
    assert.match(moved.body.message ?? "", /spec\.cluster: Invalid value: .*cluster cannot be changed/);
    const family = {
      apiVersion: "davit.dev/v1",
      kind: "TaskDefinitionFamily",
      metadata: { name: "f" },
      spec: { family: "f", lastRevision: 3 },
    };
    await server.call("POST", FAMILIES, family);
    assert.equal((await server.call("PATCH", `${FAMILIES}/f`, { spec: { lastRevision: 2 } }, MERGE)).code, 422);
    assert.equal((await server.call("PATCH", `${FAMILIES}/f`, { spec: { lastRevision: 4 } }, MERGE)).code, 200);
  });

  it("every schema and rule of every kind compiles", () => {
    for (const resource of loadResources().all) {
      const { apiVersion, kind } = resource;
      const object = { apiVersion, kind, metadata: { name: "x" }, spec: {}, status: {} } as unknown as ApiObject;
      validatorOf(resource).check(object);
    }
  });
});
