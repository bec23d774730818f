// The rules that a first user meets, judged as the API server judges them: schema, list keys and CEL.
import assert from "node:assert/strict";
import type { ApiObject } from "../../api/meta.js";
import type { Kind } from "../../api/types.gen.js";
import { loadResources } from "../../apiserver/resources/load.js";
import { createValidator } from "../../apiserver/validation/validator.js";

const resources = loadResources();
const validators = new Map(resources.all.map((resource) => [resource.kind, createValidator(resource)]));

const objectOf = (kind: Kind, spec: unknown, name = "web"): ApiObject => ({
  apiVersion: "davit.dev/v1",
  kind,
  metadata: {
    name,
    namespace: "default",
    uid: "01234567-89ab-cdef-0123-456789abcdef",
    resourceVersion: "1",
    generation: 1,
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec,
});
/** `field: message` of everything that is wrong. */
function problems(kind: Kind, spec: unknown, old?: unknown, name?: string): string[] {
  const validator = validators.get(kind);
  assert.ok(validator);
  const before = old === undefined ? undefined : objectOf(kind, old, name);
  return validator.check(objectOf(kind, spec, name), before).map(({ field, message }) => `${field}: ${message}`);
}

const CONTAINER = { name: "web", image: "nginx", memory: 64 };
/** A task definition with one container, or several. */
const task = (container: object | object[], rest: object = {}): object => ({
  ...rest,
  containerDefinitions: [container]
    .flat()
    .map((one, i) => ({ ...CONTAINER, ...(i > 0 && { name: `web${i}` }), ...one })),
});
const ports = (...portMappings: object[]): object => ({ portMappings });

describe("rules on a task definition", () => {
  for (const [title, spec, ...expected] of [
    ["a plain one is good", task({})],
    [
      "hostPort like containerPort under host",
      task(ports({ containerPort: 80, hostPort: 80 }, { containerPort: 81 }), { networkMode: "host" }),
    ],
    [
      "another hostPort under host",
      task(ports({ containerPort: 80, hostPort: 8080 }), { networkMode: "host" }),
      /^spec\.containerDefinitions: .*container "web": .*hostPort must be left out or be the same as containerPort/,
    ],
    [
      "another hostPort under awsvpc",
      task([{}, ports({ containerPort: 80, hostPort: 8080 })], { networkMode: "awsvpc" }),
      /container "web1": .*hostPort/,
    ],
    ["another hostPort under bridge is good", task(ports({ containerPort: 80, hostPort: 8080 }))],
    [
      "ports without a network",
      task(ports({ containerPort: 80 }), { networkMode: "none" }),
      /^spec\.containerDefinitions: .*networkMode none allows no portMappings/,
    ],
    ["no ports without a network are good", task(ports(), { networkMode: "none" })],
    [
      "one port on tcp and udp",
      task(ports({ containerPort: 53 }, { containerPort: 53, protocol: "udp" })),
      /^spec\.containerDefinitions\[0\]\.portMappings: .*both tcp and udp/,
    ],
    [
      "one port twice on tcp is good",
      task(ports({ containerPort: 53 }, { containerPort: 53, protocol: "tcp", hostPort: 5353 })),
    ],
    [
      "memory nowhere",
      task({ memory: undefined }),
      /^spec\.containerDefinitions: .*container "web": set memory or memoryReservation/,
    ],
    ["memory on the task alone is good", task({ memory: undefined }, { memory: "1 GB" })],
    ["a reservation alone is good", task({ memory: undefined, memoryReservation: 64 })],
    ["less than Docker takes", task({ memory: 5 }), /^spec\.containerDefinitions\[0\]\.memory: .*6/],
    [
      "memory like memoryReservation",
      task({ memoryReservation: 64 }),
      /^spec\.containerDefinitions\[0\]\.memory: .*must be greater than memoryReservation/,
    ],
    ["memory below memoryReservation", task({ memoryReservation: 65 }), /must be greater than memoryReservation/],
    ["memory above memoryReservation is good", task({ memoryReservation: 63 })],
    [
      "containers above the task",
      task([{ memory: 600 }, { memory: 600 }], { memory: "1 GB" }),
      /^spec\.memory: .*reserve more memory than the task has/,
    ],
    [
      "one container above the task",
      task({ memory: 1025, memoryReservation: 6 }, { memory: "1024" }),
      /^spec\.memory: .*container's memory is larger/,
    ],
    ["containers like the task are good (decision A24)", task([{ memory: 512 }, { memory: 512 }], { memory: "1 gb" })],
    [
      "reservations count before limits",
      task(
        [
          { memory: 1024, memoryReservation: 512 },
          { memory: 1024, memoryReservation: 512 },
        ],
        { memory: 1024 },
      ),
    ],
    ["cpu above the task", task([{ cpu: 300 }, { cpu: 300 }], { cpu: ".5 vCPU" }), /^spec\.cpu: .*reserve more cpu/],
    ["cpu like the task is good", task([{ cpu: 256 }, { cpu: 256 }, {}], { cpu: "0.5 vcpu" })],
    [
      "no essential container",
      task([{ essential: false }, { essential: false }]),
      /^spec\.containerDefinitions: .*at least one container must be essential/,
    ],
    ["one essential container is good", task([{ essential: false }, {}])],
    [
      "links under host",
      task({ links: ["a"] }, { networkMode: "host" }),
      /^spec\.containerDefinitions: .*links work only with networkMode bridge/,
    ],
    ["links under bridge are good", task({ links: ["a"] })],
    [
      "distinctInstance",
      task({}, { placementConstraints: [{ type: "distinctInstance" }] }),
      /^spec\.placementConstraints\[0\]\.type: .*distinctInstance.*memberOf/,
    ],
    ["a size that is none", task({}, { cpu: "many" }), /^spec\.cpu: /],
    ["a negative size", task({}, { memory: -5 }), /^spec\.memory: /],
    ["no containers", { containerDefinitions: [] }, /^spec\.containerDefinitions: /],
    ["containers left out", {}, /^spec\.containerDefinitions: .*[Rr]equired/],
    ["eleven containers", task(Array(11).fill({})), /^spec\.containerDefinitions: .*10/],
    ["ten containers are good", task(Array(10).fill({}))],
    ["a container without an image", task({ image: undefined }), /^spec\.containerDefinitions\[0\]\.image: /],
    ["a name with a space", task({ name: "a b" }), /^spec\.containerDefinitions\[0\]\.name: /],
    ["a name that stands twice", task([{}, { name: "web" }]), /^spec\.containerDefinitions\[1\]: .*[Dd]uplicate/],
    [
      "a health check's interval of 4",
      task({ healthCheck: { command: ["true"], interval: 4 } }),
      /^spec\.containerDefinitions\[0\]\.healthCheck\.interval: /,
    ],
    ["two errors at once", task({ image: 5, cpu: -1 }), /image: /, /cpu: /],
    [
      "a search domain that ends in a dot",
      task({ dnsSearchDomains: ["bad."] }),
      /^spec\.containerDefinitions\[0\]\.dnsSearchDomains\[0\]: /,
    ],
    ["a tmpfs without a size", task({ linuxParameters: { tmpfs: [{ containerPath: "/a" }] } }), /tmpfs\[0\]\.size: /],
    ["AUDIT_READ added is good", task({ linuxParameters: { capabilities: { add: ["AUDIT_READ"] } } })],
    [
      "AUDIT_READ dropped",
      task({ linuxParameters: { capabilities: { drop: ["AUDIT_READ"] } } }),
      /capabilities\.drop\[0\]: /,
    ],
  ] as readonly [string, object, ...RegExp[]][])
    it(title, () => {
      const found = problems("TaskDefinition", JSON.parse(JSON.stringify(spec)));
      if (expected.length === 0) assert.deepEqual(found, []);
      for (const pattern of expected)
        assert.ok(
          found.some((text) => pattern.test(text)),
          found.join("\n"),
        );
    });

  it("the family is the object's name, and stays", () => {
    const family = (name: string) => task({}, { family: name });
    assert.deepEqual(problems("TaskDefinition", family("web")), []);
    assert.match(
      problems("TaskDefinition", family("api"))[0] ?? "",
      /^spec\.family: .*metadata\.name must be the family's name/,
    );
    assert.deepEqual(problems("TaskDefinition", family("Web"), undefined, "web-1a2b3c4d"), []);
    assert.deepEqual(problems("TaskDefinition", task({ cpu: 1 }), family("web")), [], "leaving it out changes nothing");
    assert.match(
      problems("TaskDefinition", family("API"), family("Web"), "web-1a2b3c4d")[0] ?? "",
      /^spec\.family: .*the family cannot be changed/,
    );
  });
});

describe("what cannot be changed", () => {
  const revision = { family: "web", revision: 1, contentHash: "0".repeat(64), ...task({}) };
  const run = { taskDefinition: "web:1", cluster: "default", desiredStatus: "RUNNING" };
  const bound = { ...run, containerInstance: "a" };
  const set = { cluster: "default", service: "web", taskDefinition: "web:1", role: "PRIMARY", desiredCount: 1 };
  const service = { taskDefinition: "web", cluster: "default" };

  for (const [title, kind, old, spec, ...expected] of [
    [
      "a revision",
      "TaskDefinitionRevision",
      revision,
      { ...revision, ...task({ cpu: 5 }) },
      /^spec: .*a revision cannot be changed/,
    ],
    ["a revision, written again as it is", "TaskDefinitionRevision", revision, { ...revision }],
    [
      "a task's revision",
      "Task",
      run,
      { ...run, taskDefinition: "web:2" },
      /^spec\.taskDefinition: .*run another task/,
    ],
    ["a task's cluster", "Task", run, { ...run, cluster: "prod" }, /^spec\.cluster: /],
    [
      "a task's machine, once",
      "Task",
      bound,
      { ...bound, containerInstance: "b" },
      /^spec\.containerInstance: .*written once/,
    ],
    ["a task's machine, taken away", "Task", bound, run, /^spec\.containerInstance: .*written once/],
    ["but a machine may be given", "Task", run, bound],
    ["a stopped task", "Task", { ...run, desiredStatus: "STOPPED" }, run, /^spec\.desiredStatus: .*STOPPED is final/],
    ["but a task may be stopped", "Task", bound, { ...bound, desiredStatus: "STOPPED", stopReason: "enough" }],
    ["a task set's revision", "TaskSet", set, { ...set, taskDefinition: "web:2" }, /^spec: .*cannot be changed/],
    ["but its count and role may be", "TaskSet", set, { ...set, desiredCount: 2, role: "ACTIVE" }],
    ["a service's cluster", "Service", service, { ...service, cluster: "prod" }, /^spec\.cluster: /],
    [
      "but its definition and count may be",
      "Service",
      service,
      { ...service, taskDefinition: "web:3", desiredCount: 4 },
    ],
    [
      "a counter never goes back",
      "TaskDefinitionFamily",
      { family: "web", lastRevision: 3 },
      { family: "web", lastRevision: 2 },
      /^spec\.lastRevision: .*never goes back/,
    ],
    ["a cluster's name", "Cluster", { clusterName: "Web" }, { clusterName: "API" }, /^spec\.clusterName: /],
  ] as readonly [string, Kind, object, object, ...RegExp[]][])
    it(title, () => {
      const found = problems(kind, spec, old);
      if (expected.length === 0) assert.deepEqual(found, []);
      for (const pattern of expected)
        assert.ok(
          found.some((text) => pattern.test(text)),
          found.join("\n"),
        );
    });
});

describe("rules on a service", () => {
  it("a definition is required, except where somebody else moves deployments", () => {
    assert.match(problems("Service", {})[0] ?? "", /^spec\.taskDefinition: .*is required: name a family/);
    assert.deepEqual(problems("Service", { deploymentController: { type: "EXTERNAL" } }), []);
    assert.deepEqual(problems("Service", { taskDefinition: "arn:aws:ecs:x:1:task-definition/web:1" }), []);
    assert.match(problems("Service", { taskDefinition: "web:latest" })[0] ?? "", /^spec\.taskDefinition: /);
  });
});

describe("rules on a token", () => {
  const token = { use: "User", role: "viewer", hash: "0".repeat(64), expiresAt: "2026-01-02T00:00:00Z" };
  it("has a name without a dot, a role if it is a person's, and never changes", () => {
    assert.deepEqual(problems("AccessToken", token), []);
    assert.match(problems("AccessToken", token, undefined, "a.b").join("\n"), /^metadata\.name: .*no dot/);
    assert.match(problems("AccessToken", { ...token, role: undefined }).join("\n"), /^spec\.role: .*needs a role/);
    assert.match(problems("AccessToken", { ...token, role: "admin" }, token).join("\n"), /^spec: .*cannot be changed/);
  });
});
