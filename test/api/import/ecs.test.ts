import assert from "node:assert/strict";
import { describePlace, importDocuments, RESOLVE_ANNOTATION, REVISION_ANNOTATION } from "../../../api/import/index.js";

const one = (document: object, runs = false) => {
  const result = importDocuments(JSON.stringify(document), "-", { runs });
  return { ...result, texts: [...result.notes, ...result.errors].map(({ message }) => message) };
};
const web = { name: "web", image: "nginx", memory: 64 };

describe("importing bare ECS documents", () => {
  it("a task definition becomes an object named after its family", () => {
    const { objects, texts } = one({ family: "web", containerDefinitions: [web] });
    assert.deepEqual(objects[0]?.manifest, {
      apiVersion: "davit.dev/v1",
      kind: "TaskDefinition",
      metadata: { name: "web" },
      spec: { family: "web", containerDefinitions: [web] },
    });
    assert.deepEqual(texts, []);
  });

  it("a family that is no DNS label gets a derived name", () => {
    const { objects } = one({ family: "Web_1", containerDefinitions: [web] });
    assert.match(objects[0]?.manifest.metadata.name ?? "", /^web-1-[0-9a-f]{8}$/);
    assert.deepEqual(objects[0]?.manifest.spec, { family: "Web_1", containerDefinitions: [web] });
  });

  it("tags are kept as they are printed, but for those of AWS's own, which a note names", () => {
    const tags = [
      { key: "aws:cloudformation:stack-name", value: "s" },
      { key: "team", value: "" },
    ];
    for (const [document, path] of [
      [{ services: [{ serviceName: "web", taskDefinition: "web:1", tags }], failures: [] }, "services"],
      [{ clusters: [{ clusterName: "prod", tags }] }, "clusters"],
      [{ taskDefinition: { family: "web", containerDefinitions: [web] }, tags }, "taskDefinition"],
    ] as const) {
      const { objects, texts } = one(document);
      assert.deepEqual(
        (objects[0]?.manifest.spec as { tags?: unknown } | undefined)?.tags,
        [{ key: "team", value: "" }],
        path,
      );
      assert(texts.includes("left out tags that are the system's own: aws:cloudformation:stack-name"), texts.join());
    }
    const { runs } = one(
      { taskDefinition: "web", tags, propagateTags: "TASK_DEFINITION", enableECSManagedTags: true },
      true,
    );
    assert.deepEqual(runs[0]?.spec.tags, [{ key: "team", value: "" }]);
    assert.deepEqual([runs[0]?.spec.propagateTags, runs[0]?.spec.enableECSManagedTags], ["TASK_DEFINITION", true]);
  });

  it("null for a tag's value is refused, and not taken for none", () => {
    const { objects, errors } = one({ clusterName: "prod", tags: [{ key: "a" }, { key: "b", value: null }] });
    assert.deepEqual(objects, []);
    assert.deepEqual(
      errors.map(({ field, message }) => `${field}: ${message}`),
      ["tags[1].value: must be text: it may be empty or left out, but not null"],
    );
  });

  it("a task definition without a family is refused", () => {
    const { errors, objects } = one({ containerDefinitions: [web] });
    assert.deepEqual(objects, []);
    assert.deepEqual(errors.map(describePlace), ["-: document 1, line 1, column 1: family: is required: name it"]);
  });

  it("what describe-task-definition prints keeps its text, its tags and its number", () => {
    const { objects, texts } = one({
      taskDefinition: {
        taskDefinitionArn: "arn:aws:ecs:us-east-1:123456789012:task-definition/web:7",
        family: "web",
        revision: 7,
        status: "ACTIVE",
        requiresAttributes: [],
        compatibilities: ["EC2"],
        registeredAt: 1510000000.128,
        registeredBy: "arn:aws:iam::123456789012:root",
        containerDefinitions: [{ ...web, cpu: null }],
        volumes: [],
      },
      tags: [{ key: "a", value: "b" }],
    });
    assert.deepEqual(objects[0]?.manifest, {
      apiVersion: "davit.dev/v1",
      kind: "TaskDefinition",
      metadata: { name: "web", annotations: { [REVISION_ANNOTATION]: "7" } },
      spec: { tags: [{ key: "a", value: "b" }], family: "web", containerDefinitions: [web], volumes: [] },
    });
    assert.deepEqual(texts, [
      "left out what is null: taskDefinition.containerDefinitions[0].cpu",
      "took what stands under taskDefinition, without what describe alone prints: taskDefinitionArn, revision, status, requiresAttributes, compatibilities, registeredAt, registeredBy",
    ]);
  });

  it("what describe-services prints becomes services, with foreign ARNs read by their resource part", () => {
    const { objects, texts } = one({
      services: [
        {
          serviceArn: "arn:aws:ecs:us-east-1:123456789012:service/prod/web",
          serviceName: "web",
          clusterArn: "arn:aws:ecs:us-east-1:123456789012:cluster/prod",
          status: "ACTIVE",
          desiredCount: 2,
          runningCount: 2,
          pendingCount: 0,
          taskDefinition: "arn:aws:ecs:us-east-1:123456789012:task-definition/web:3",
          deployments: [{}],
          events: [],
          createdAt: 1,
          loadBalancers: [],
          schedulingStrategy: "REPLICA",
        },
      ],
      failures: [],
    });
    assert.deepEqual(objects[0]?.manifest, {
      apiVersion: "davit.dev/v1",
      kind: "Service",
      metadata: { name: "web.prod" },
      spec: {
        serviceName: "web",
        desiredCount: 2,
        taskDefinition: "web:3",
        loadBalancers: [],
        schedulingStrategy: "REPLICA",
        cluster: "prod",
      },
    });
    assert.equal(texts.length, 1);
    assert.match(
      texts[0] ?? "",
      /serviceArn, clusterArn, status, runningCount, pendingCount, deployments, events, createdAt/,
    );
  });

  it("what describe did not find is an error", () => {
    const { objects, texts } = one({ services: [], failures: [{ arn: "arn:x", reason: "MISSING" }] });
    assert.deepEqual(objects, []);
    assert.deepEqual(texts, ["describe did not find arn:x: MISSING"]);
  });

  it("a service that names a family is to be resolved once, one that names a revision is not", () => {
    const follows = one({ serviceName: "web", taskDefinition: "web" }).objects[0]?.manifest;
    assert.deepEqual(follows?.metadata, { name: "web", annotations: { [RESOLVE_ANNOTATION]: "once" } });
    const pinned = one({ serviceName: "web", taskDefinition: "web:1" }).objects[0]?.manifest;
    assert.deepEqual(pinned?.metadata, { name: "web" });
  });

  it("requests are named, used once, and not kept", () => {
    const { objects, texts } = one({
      serviceName: "web",
      taskDefinition: "web:1",
      clientToken: "t",
      role: "r",
      forceNewDeployment: true,
    });
    assert.deepEqual(objects[0]?.manifest.spec, { serviceName: "web", taskDefinition: "web:1", cluster: "default" });
    assert.equal(objects[0]?.restart, true);
    assert.deepEqual(texts, ["used once or not at all, and not kept: clientToken, forceNewDeployment, role"]);
  });

  it("clusters, asked for or described", () => {
    for (const document of [
      { clusterName: "Prod" },
      {
        cluster: { clusterName: "Prod", clusterArn: "arn:aws:ecs:x:1:cluster/Prod", status: "ACTIVE", statistics: [] },
      },
      { clusters: [{ clusterArn: "arn:aws:ecs:x:1:cluster/Prod" }] },
    ]) {
      const { objects } = one(document);
      assert.equal(objects[0]?.manifest.kind, "Cluster");
      assert.match(objects[0]?.manifest.metadata.name ?? "", /^prod-[0-9a-f]{8}$/);
      assert.deepEqual(objects[0]?.manifest.spec, { clusterName: "Prod" });
    }
  });

  it("a RunTask request is a run where runs are wanted, and an error elsewhere", () => {
    const request = {
      cluster: "prod",
      taskDefinition: "arn:aws:ecs:x:1:task-definition/job:4",
      count: 3,
      group: "g",
      clientToken: "c",
    };
    const { runs, objects } = one(request, true);
    assert.deepEqual(objects, []);
    assert.deepEqual(
      runs.map(({ spec, count }) => ({ spec, count })),
      [{ spec: { cluster: "prod", taskDefinition: "job:4", group: "g" }, count: 3 }],
    );
    assert.deepEqual(one(request).texts, ["is a RunTask request, which starts tasks once: use `davit run -f`"]);
    assert.deepEqual(one(request).runs, []);
    const start = one(
      { taskDefinition: "job", containerInstances: ["arn:aws:ecs:x:1:container-instance/prod/abc"] },
      true,
    );
    assert.equal(start.runs[0]?.spec.containerInstance, "abc");
  });

  for (const [document, expected] of [
    [{ tasks: [], failures: [] }, /describe prints of tasks is state/],
    [{ service: "web", desiredCount: 2 }, /write the whole service/],
    [{ services: ["web"] }, /must be an object/],
    [{ taskDefinition: "a b" }, /no family, family:N or ARN/],
    [{ taskDefinitionArns: [] }, /its keys are taskDefinitionArns/],
    [{}, /its keys are none/],
  ] as const)
    it(`${JSON.stringify(document)} is refused`, () => {
      const { objects, runs, texts } = one(document, true);
      assert.deepEqual([...objects, ...runs], []);
      assert.match(texts[0] ?? "", expected);
    });
});
