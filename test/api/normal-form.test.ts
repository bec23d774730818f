import assert from "node:assert/strict";
import fc from "fast-check";
import { contentHash, normalForm, revisionSpec } from "../../api/normal-form.js";
import { withoutNulls } from "../../api/nulls.js";
import type { TaskDefinitionSpec } from "../../api/types.gen.js";

const web: TaskDefinitionSpec = { containerDefinitions: [{ name: "web", image: "nginx", memory: 64 }] };

describe("normal form of a task definition", () => {
  it("fills in what was left out", () => {
    assert.deepEqual(normalForm(web), {
      networkMode: "bridge",
      volumes: [],
      placementConstraints: [],
      containerDefinitions: [
        {
          name: "web",
          image: "nginx",
          memory: 64,
          cpu: 0,
          essential: true,
          environment: [],
          mountPoints: [],
          volumesFrom: [],
          portMappings: [],
        },
      ],
    });
  });

  for (const [networkMode, written, hostPort] of [
    ["bridge", undefined, 0],
    ["bridge", 8080, 8080],
    ["host", undefined, 80],
    ["awsvpc", undefined, 80],
  ] as const)
    it(`a host port ${written ?? "left out"} in ${networkMode} mode is ${hostPort}, over tcp`, () => {
      const mapping = { containerPort: 80, ...(written !== undefined && { hostPort: written }) };
      const form = normalForm({
        networkMode,
        containerDefinitions: [{ name: "web", image: "nginx", portMappings: [mapping] }],
      });
      assert.deepEqual(form.containerDefinitions[0]?.portMappings, [{ containerPort: 80, hostPort, protocol: "tcp" }]);
    });

  it("gives a health check its numbers", () => {
    const form = normalForm({
      containerDefinitions: [{ name: "web", image: "nginx", healthCheck: { command: ["true"], retries: 5 } }],
    });
    assert.deepEqual(form.containerDefinitions[0]?.healthCheck, {
      command: ["true"],
      interval: 30,
      timeout: 5,
      retries: 5,
    });
  });

  it("writes sizes as integers in text, and drops nulls", () => {
    const form = normalForm({
      ...web,
      cpu: "2 vCPU",
      memory: 4096,
      pidMode: null,
      containerDefinitions: [{ name: "web", image: "nginx", ulimits: null }],
    } as unknown as TaskDefinitionSpec);
    assert.equal(form.cpu, "2048");
    assert.equal(form.memory, "4096");
    assert.ok(!("pidMode" in form));
    assert.ok(form.containerDefinitions[0] && !("ulimits" in form.containerDefinitions[0]));
    assert.throws(() => normalForm({ ...web, cpu: "many" }), /'cpu'.*"many"/);
  });

  it("does not touch the text", () => {
    const text = structuredClone(web);
    revisionSpec("web", 1, text);
    assert.deepEqual(text, web);
  });
});

describe("the same text", () => {
  const hash = (text: TaskDefinitionSpec) => contentHash(normalForm(text));

  it("is the same whatever the order of keys, the spelling of sizes, and defaults written out", () => {
    assert.equal(
      hash({ cpu: "1 vCPU", ...web }),
      hash({
        containerDefinitions: [{ memory: 64, essential: true, image: "nginx", name: "web", cpu: 0 }],
        networkMode: "bridge",
        cpu: 1024,
      }),
    );
  });

  it("is another when a value, or the order of arguments, is another", () => {
    const command = (...args: string[]) =>
      hash({ containerDefinitions: [{ name: "web", image: "nginx", memory: 64, command: args }] });
    assert.notEqual(command("a", "b"), command("b", "a"));
    assert.notEqual(command("a"), hash(web));
  });

  it("does not depend on family and revision", () => {
    assert.equal(
      revisionSpec("web", 1, web).contentHash,
      revisionSpec("api", 7, { ...web, family: "api" }).contentHash,
    );
    assert.match(revisionSpec("web", 1, web).contentHash, /^[0-9a-f]{64}$/);
  });

  it("is its own normal form", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 4 });
    const container = fc.record(
      {
        image: fc.string(),
        essential: fc.boolean(),
        memory: fc.integer({ min: 6, max: 99 }),
        portMappings: fc.array(fc.record({ containerPort: fc.integer({ min: 1, max: 65535 }) })),
      },
      { requiredKeys: ["image"] },
    );
    fc.assert(
      fc.property(names, container, fc.constantFrom("bridge", "host"), (all, rest, networkMode) => {
        const form = normalForm({ networkMode, containerDefinitions: all.map((name) => ({ name, ...rest })) });
        assert.deepEqual(normalForm(form), form);
      }),
    );
  });

  it("loses nulls only", () => {
    assert.deepEqual(withoutNulls({ a: null, b: [1, null, { c: null }], d: false, e: "" }), {
      b: [1, {}],
      d: false,
      e: "",
    });
  });
});
