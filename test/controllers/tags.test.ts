// The tags that tasks get as they are made.
import assert from "node:assert/strict";
import { tagsOf } from "../../api/tags.js";
import type { Tag, Task, TaskSpec } from "../../api/types.gen.js";
import { tooManyTags } from "../../controllers/task/tags.js";
import { describe as describeObject } from "../../events/shapes.js";
import { eventually } from "../support/wait.js";
import { type House, openHouse } from "./support/house.js";
import { taskOf } from "./support/objects.js";

const text = (tags: readonly Tag[] | undefined): string =>
  (tags ?? [])
    .map(({ key, value = "" }) => `${key}=${value}`)
    .sort()
    .join(" ");
const tag = (key: string, value: string): Tag => ({ key, value });

describe("tags of tasks", function () {
  this.timeout(60_000);
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
    await house.machine("a");
    await house.define("app", {}, { tags: [tag("from", "definition"), tag("image", "busybox")] });
  });
  afterEach(() => house.close());

  const alive = async (): Promise<readonly Task[]> =>
    (await house.tasks()).filter(({ status }) => status?.lastStatus !== "STOPPED");
  const patchService = (spec: object) => house.client.patch("Service", { namespace: "default", name: "web" }, { spec });
  const declare = async (name: string, spec: Partial<TaskSpec>): Promise<Task> => {
    await house.client.create("Task", {
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: { namespace: "default", name },
      spec: { taskDefinition: "app", ...spec },
    });
    return eventually(`${name} is placed`, async () => {
      const task = await house.client.get("Task", { namespace: "default", name });
      return (task?.status?.lastStatus ?? "PROVISIONING") === "PROVISIONING" ? undefined : task;
    });
  };

  for (const [from, expected] of [
    [undefined, ""],
    ["NONE", ""],
    ["SERVICE", "from=service team=blue"],
    ["TASK_DEFINITION", "from=definition image=busybox"],
  ] as const)
    it(`of a service with propagateTags ${from}`, async () => {
      const tags = [tag("from", "service"), tag("team", "blue")];
      await house.serve("web", { desiredCount: 1, tags, ...(from && { propagateTags: from }) });
      await house.steady("web");
      const [task] = await alive();
      assert.equal(text(task?.spec.tags), expected);
      assert.equal(task?.status?.managedTags, undefined);
    });

  it("[07-49] managed tags name cluster and service, on tasks that start from then on only", async () => {
    await house.serve("web", { desiredCount: 1 });
    await house.steady("web");
    const [older] = await alive();
    await patchService({ enableECSManagedTags: true, propagateTags: "SERVICE", tags: [tag("team", "red")] });
    await patchService({ desiredCount: 2 });
    const { status } = await house.steady("web");
    assert.equal(status?.deployments?.length, 1, "no other deployment");
    const tasks = await alive();
    const newer = tasks.find(({ metadata }) => metadata.uid !== older?.metadata.uid);
    const still = tasks.find(({ metadata }) => metadata.uid === older?.metadata.uid);
    assert(newer && still);
    assert.equal(text(newer.status?.managedTags), "aws:ecs:clusterName=default aws:ecs:serviceName=web");
    assert.equal(text(newer.spec.tags), "team=red");
    assert.equal(text(tagsOf(still)), "");
    const detail = describeObject(newer) as { tags?: Tag[] };
    assert.equal(text(detail.tags), "aws:ecs:clusterName=default aws:ecs:serviceName=web team=red");
  });

  it("[06-27] of a declared task: its own win over its task definition's, and its spec stays as it was written", async () => {
    const own = [tag("from", "task")];
    const task = await declare("once", { tags: own, propagateTags: "TASK_DEFINITION", enableECSManagedTags: true });
    assert.deepEqual(task.spec.tags, own);
    assert.equal(text(tagsOf(task)), "aws:ecs:clusterName=default from=task image=busybox");
  });

  it("[07-48] of a declared task in a service's group: its own win over the service's", async () => {
    await house.serve("web", { desiredCount: 0, tags: [tag("team", "blue"), tag("env", "prod")] });
    const task = await declare("once", { group: "service:web", propagateTags: "SERVICE", tags: [tag("team", "red")] });
    assert.equal(text(tagsOf(task)), "env=prod team=red");
  });

  it("managed tags of one that waits for its definition come with it", async () => {
    const spec = { taskDefinition: "late", enableECSManagedTags: true };
    const placed = declare("waits", spec);
    await eventually("it waits", async () => {
      const task = await house.client.get("Task", { namespace: "default", name: "waits" });
      return task?.status?.conditions?.some(({ reason }) => reason === "TaskDefinitionNotFound");
    });
    await house.define("late");
    assert.equal(text((await placed).status?.managedTags), "aws:ecs:clusterName=default");
  });

  it("one that would have more than 50 is not started, and says why", async () => {
    const tags = Array.from({ length: 49 }, (_, i) => tag(`k${i}`, ""));
    const task = await declare("full", { tags, propagateTags: "TASK_DEFINITION" });
    assert.equal(task.status?.lastStatus, "STOPPED");
    assert.match(
      task.status?.stoppedReason ?? "",
      /^spec\.tags: 51 tags with those that propagateTags TASK_DEFINITION/,
    );
    assert.equal(tooManyTags(taskOf({ spec: { tags } }), { managedTags: [tag("a", ""), tag("b", "")] }), undefined);
  });
});
