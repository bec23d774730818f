import assert from "node:assert/strict";
import { eventually } from "../support/wait.js";
import { type House, openHouse } from "./support/house.js";

const app = { namespace: "default", name: "app" };

describe("a task definition and its revisions", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house.close();
  });
  const registered = (revision: number) =>
    eventually(`app:${revision}`, async () => {
      const definition = await house.client.get("TaskDefinition", app);
      const current = definition?.status?.observedGeneration === definition?.metadata.generation;
      return current && definition?.status?.revision === revision && definition;
    });
  const revisions = async () =>
    [...(await house.client.list("TaskDefinitionRevision")).items].sort((a, b) => a.spec.revision - b.spec.revision);

  it("[02-1] [01-30] [09-5] a new text is revision 1, a changed one the next, also back to an older one", async () => {
    await house.define("app");
    const first = await registered(1);
    assert.equal(first.status?.latestRevision, "app:1");
    assert.equal(first.status?.taskDefinitionArn, "arn:aws:ecs:local:000000000000:task-definition/app:1");
    await house.define("app", { image: "busybox:2" });
    await registered(2);
    await house.define("app");
    await registered(3);
    const all = await revisions();
    assert.deepEqual(
      all.map(({ metadata, status }) => [metadata.name, status?.status]),
      [
        ["app.1", "ACTIVE"],
        ["app.2", "ACTIVE"],
        ["app.3", "ACTIVE"],
      ],
    );
    assert.equal(all[0]?.spec.contentHash, all[2]?.spec.contentHash);
  });

  it("the same text in other words makes no revision", async () => {
    await house.define("app", { cpu: 0, essential: true });
    await registered(1);
    await house.define("app", { cpu: 0, environment: [] });
    await registered(1);
    assert.equal((await revisions()).length, 1);
  });

  it("[03-50] [03-53] deleted, its revisions are INACTIVE, and what runs goes on", async () => {
    const machine = await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 2 });
    await house.steady("web");
    const before = [...machine.runtime().containers.keys()];
    await house.client.delete("TaskDefinition", app);
    await eventually("gone", async () => (await house.client.get("TaskDefinition", app)) === undefined);
    assert.deepEqual(
      (await revisions()).map(({ status }) => status?.status),
      ["INACTIVE"],
    );
    await house.steady("web");
    assert.deepEqual([...machine.runtime().containers.keys()], before);
  });

  it("[03-52] a service on a deregistered revision still scales", async () => {
    await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    await house.steady("web");
    await house.client.delete("TaskDefinition", app);
    await eventually("gone", async () => (await house.client.get("TaskDefinition", app)) === undefined);
    await house.client.patch("Service", { ...app, name: "web" }, { spec: { desiredCount: 3 } });
    await house.steady("web");
    assert.equal((await house.running()).length, 3);
  });

  it("[09-26] numbers of deregistered revisions are not given out again", async () => {
    await house.define("app");
    await registered(1);
    await house.client.delete("TaskDefinition", app);
    await eventually("gone", async () => (await house.client.get("TaskDefinition", app)) === undefined);
    await house.client.delete("TaskDefinitionRevision", { ...app, name: "app.1" });
    await house.define("app");
    await registered(2);
    const family = await house.client.get("TaskDefinitionFamily", app);
    assert.equal(family?.spec.lastRevision, 2);
  });

  it("an imported definition keeps its number", async () => {
    await house.client.create("TaskDefinition", {
      apiVersion: "davit.dev/v1",
      kind: "TaskDefinition",
      metadata: { ...app, annotations: { "davit.dev/revision": "7" } },
      spec: { containerDefinitions: [{ name: "app", image: "busybox", memory: 16 }] },
    });
    await registered(7);
  });

  it("names the fields that have no effect, and what keeps it from running", async () => {
    await house.define("app", { user: "nobody" }, { taskRoleArn: "arn:aws:iam::000000000000:role/app" });
    const definition = await registered(1);
    const [revision] = await revisions();
    const condition = (type: string) => revision?.status?.conditions?.find((each) => each.type === type);
    assert.equal(condition("Runnable")?.message, "NotImplemented: containerDefinitions[0].user");
    assert.equal(condition("FieldsIgnored")?.message, "taskRoleArn");
    assert.equal(definition.status?.conditions?.find(({ type }) => type === "FieldsIgnored")?.message, "taskRoleArn");
  });

  it("however often the control plane is restarted, each text is one revision", async () => {
    for (let number = 1; number <= 6; number++) {
      await house.define("app", { image: `busybox:${number}` });
      await house.restartControllers();
    }
    const definition = await eventually("settled", async () => {
      const found = await house.client.get("TaskDefinition", app);
      return found?.status?.observedGeneration === found?.metadata.generation && found;
    });
    const all = await revisions();
    assert.equal(new Set(all.map(({ spec }) => spec.contentHash)).size, all.length);
    assert.equal(all.at(-1)?.spec.containerDefinitions[0]?.image, "busybox:6");
    assert.equal(definition.status?.revision, all.at(-1)?.spec.revision);
  });
});
