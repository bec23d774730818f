import assert from "node:assert/strict";
import { createArns, ecsId, resourceIdOf } from "../../api/arn.js";

const ID = "0123456789abcdef0123456789abcdef";
const UID = "01234567-89ab-cdef-0123-456789abcdef";

describe("ARNs", () => {
  it("are ECS's own, with a partition, region and account of ours", () => {
    const arns = createArns();
    const head = "arn:aws:ecs:local:000000000000:";
    assert.equal(arns.task("prod", ID), `${head}task/prod/${ID}`);
    assert.equal(arns.cluster("prod"), `${head}cluster/prod`);
    assert.equal(arns.taskDefinition("web", 3), `${head}task-definition/web:3`);
    assert.equal(arns.service("prod", "web"), `${head}service/prod/web`);
    assert.equal(arns.taskSet("prod", "web", "ecs-svc/1"), `${head}task-set/prod/web/ecs-svc/1`);
    assert.equal(arns.containerInstance("prod", ID), `${head}container-instance/prod/${ID}`);
    assert.equal(arns.container("prod", ID, "c"), `${head}container/prod/${ID}/c`);
  });

  it("take another scope", () => {
    const arns = createArns({ partition: "davit", region: "rack-1", account: "123456789012" });
    assert.equal(arns.cluster("a"), "arn:davit:ecs:rack-1:123456789012:cluster/a");
  });

  it("[04-48] end in the instance's id, in either form", () => {
    const old = `arn:aws:ecs:us-east-1:123456789012:container-instance/${ID}`;
    const today = `arn:aws:ecs:us-east-1:123456789012:container-instance/prod/${ID}`;
    assert.equal(resourceIdOf(old), ID);
    assert.equal(resourceIdOf(today), ID);
    assert.equal(resourceIdOf(ID), ID);
    assert.equal(resourceIdOf("a/b"), "a/b");
  });

  it("carry an id made of the object's uid", () => {
    assert.equal(ecsId(UID), ID);
  });
});
