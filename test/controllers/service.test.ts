import assert from "node:assert/strict";
import { ecsId } from "../../api/arn.js";
import { getCondition } from "../../api/conditions.js";
import type { Service, Task } from "../../api/types.gen.js";
import { eventually } from "../support/wait.js";
import { type House, openHouse } from "./support/house.js";

const messagesOf = ({ status }: Service): string => status?.events?.map(({ message }) => message).join("\n") ?? "";
const names = (tasks: readonly Task[]): string[] => tasks.map(({ metadata }) => metadata.name).sort();

describe("a service on simulated machines", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house.close();
  });

  it("of ten tasks reaches its steady state, and says so in ECS's words", async () => {
    await house.machine("m1");
    await house.machine("m2");
    await house.define("app");
    await house.serve("web", { desiredCount: 10 });
    const service = await house.steady("web");
    const { runningCount, pendingCount, healthyCount } = service.status ?? {};
    assert.deepEqual([runningCount, pendingCount, healthyCount], [10, 0, 10]);
    assert.match(messagesOf(service), /^\(service web\) has reached a steady state\.$/m);
    const started = [...messagesOf(service).matchAll(/^\(service web\) has started (\d+) tasks: (.+)\.$/gm)];
    assert.equal(
      started.reduce((sum, [, count]) => sum + Number(count), 0),
      10,
    );
    for (const [, , tasks] of started) assert.match(tasks ?? "", /^\(task [0-9a-f]{32}\)( \(task [0-9a-f]{32}\))*$/);
    const perMachine = new Map<string, number>();
    for (const { spec } of await house.running()) {
      const name = spec.containerInstance ?? "";
      perMachine.set(name, (perMachine.get(name) ?? 0) + 1);
    }
    assert.deepEqual([...perMachine.values()], [5, 5]);
  });

  it("[03-57] its tasks have ids of 32 hex digits, and ARNs with the cluster's name", async () => {
    await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    await house.steady("web");
    const [task] = await house.running();
    const id = ecsId(task?.metadata.uid ?? "");
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.equal(task?.status?.taskArn, `arn:aws:ecs:local:000000000000:task/default/${id}`);
  });

  it("[09-11] has exactly one deployment, PRIMARY, with an ecs-svc/ id", async () => {
    await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    const { status } = await house.steady("web");
    assert.deepEqual(
      status?.deployments?.map((deployment) => deployment.status),
      ["PRIMARY"],
    );
    assert.match(status?.deployments?.[0]?.id ?? "", /^ecs-svc\/\d{19}$/);
    assert.equal(status?.deployments?.[0]?.rolloutState, "COMPLETED");
  });

  it("[09-31] scales out and in; surplus tasks stop with the deployment's words", async () => {
    await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 2 });
    await house.steady("web");
    const ref = { namespace: "default", name: "web" };
    await house.client.patch("Service", ref, { spec: { desiredCount: 5 } });
    await house.steady("web");
    assert.equal((await house.running()).length, 5);
    await house.client.patch("Service", ref, { spec: { desiredCount: 1 } });
    const { status } = await house.steady("web");
    const stopped = await eventually("four tasks are STOPPED", async () => {
      const tasks = (await house.tasks()).filter((task) => task.status?.lastStatus === "STOPPED");
      return tasks.length === 4 && tasks;
    });
    for (const task of stopped) {
      assert.equal(task.status?.stopCode, "ServiceSchedulerInitiated");
      assert.equal(
        task.status?.stoppedReason,
        `Scaling activity initiated by (deployment ${status?.deployments?.[0]?.id})`,
      );
    }
  });

  it("[06-36] replaces a task that stops, in its slot; a standalone task is not replaced", async () => {
    const machine = await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 2 });
    await house.steady("web");
    const alone = { namespace: "default", name: "alone" };
    await house.client.create("Task", {
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: alone,
      spec: { taskDefinition: "app" },
    });
    const before = await eventually("three run", async () => {
      const tasks = await house.running();
      return tasks.length === 3 && tasks;
    });
    for (const { id } of [...machine.runtime().containers.values()]) machine.runtime().crash(id, 3);
    const after = await eventually("both of the service are followed", async () => {
      const tasks = await house.running();
      return tasks.length === 2 && tasks.every(({ metadata }) => !names(before).includes(metadata.name)) && tasks;
    });
    assert.deepEqual(after.map(({ metadata }) => metadata.labels?.["davit.dev/slot"]).sort(), ["0", "1"]);
    const gone = await house.client.get("Task", alone);
    assert.deepEqual(
      [gone?.status?.lastStatus, gone?.status?.stoppedReason, gone?.status?.containers?.[0]?.exitCode],
      ["STOPPED", "Essential container in task exited", 3],
    );
  });

  it("[07-41] [09-43] slows down when tasks do not start, and says so", async () => {
    await house.machine("m1", { simulated: { pullFailureRate: 1 }, agent: { pullAttempts: 1 } });
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    const service = await eventually("the throttle is told", async () => {
      const found = await house.service("web");
      return messagesOf(found as Service).includes("unable to consistently") && found;
    });
    assert.match(messagesOf(service), /^\(service web\) is unable to consistently start tasks successfully\.$/m);
    const stops = (await house.tasks()).filter(({ status }) => status?.lastStatus === "STOPPED");
    const times = stops.map(({ status }) => Date.parse(status?.stoppedAt ?? "")).sort((a, b) => a - b);
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    assert.ok(gaps.length >= 2 && gaps.every((gap, at) => at === 0 || gap > (gaps[at - 1] ?? 0)), String(gaps));
  });

  it("[07-42] [09-44] a new definition ends the throttle: its first task starts without that wait", async () => {
    await house.machine("m1", { simulated: { pullFailureRate: 1 }, agent: { pullAttempts: 1 } });
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    const last = await eventually("the fourth start has failed, and 8 s are to be waited", async () => {
      const tasks = (await house.tasks()).filter(({ status }) => status?.lastStatus === "STOPPED");
      return tasks.find(({ metadata }) => metadata.annotations?.["davit.dev/attempt"] === "3");
    });
    await house.define("app", { image: "busybox:2" });
    const next = await eventually("a task of the new revision", async () =>
      (await house.tasks()).find(({ status }) => status?.taskDefinition === "app:2"),
    );
    const waitedMs = Date.parse(next.metadata.creationTimestamp) - Date.parse(last.status?.stoppedAt ?? "");
    assert.ok(waitedMs < 6_000, `${waitedMs} ms`);
  });

  it("tells in Ready why its tasks do not start, or do not stay", async () => {
    await house.machine("m1", { simulated: { pullFailureRate: 1 }, agent: { pullAttempts: 1 } });
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    const message = await eventually("the reason is told", async () => {
      const ready = getCondition((await house.service("web"))?.status?.conditions, "Ready");
      return ready?.message.includes("failed to start") && ready.message;
    });
    assert.match(message, /Task failed to start \(app: CannotPullContainerError: /);
  });

  it("rolls out a changed definition within its percents", async () => {
    await house.machine("m1");
    await house.machine("m2");
    await house.define("app");
    await house.serve("web", {
      desiredCount: 4,
      deploymentConfiguration: { maximumPercent: 150, minimumHealthyPercent: 75 },
    });
    await house.steady("web");
    const seen = { most: 0, least: 99 };
    const watching = new AbortController();
    const { items, resourceVersion } = await house.client.list("Task");
    const tasks = new Map(items.map((task) => [task.metadata.name, task]));
    const watch = (async () => {
      const options = { resourceVersion, signal: watching.signal };
      for await (const { events } of house.client.watch("Task", options))
        for (const { type, object } of events) {
          if (type === "DELETED") tasks.delete(object.metadata.name);
          else tasks.set(object.metadata.name, object);
          const live = [...tasks.values()].filter(({ status }) => status?.lastStatus !== "STOPPED");
          const serving = live.filter(
            ({ status, spec }) => status?.lastStatus === "RUNNING" && spec.desiredStatus === "RUNNING",
          );
          seen.most = Math.max(seen.most, live.length);
          seen.least = Math.min(seen.least, serving.length);
        }
    })();
    await house.define("app", { image: "busybox:2" });
    const service = await eventually("the new revision is steady", async () => {
      const found = await house.steady("web");
      return found.status?.taskDefinition === "app:2" && found;
    });
    watching.abort();
    await watch;
    assert.deepEqual(
      (await house.running()).map(({ status }) => status?.taskDefinition),
      ["app:2", "app:2", "app:2", "app:2"],
    );
    assert.ok(seen.most <= 6, `at most 6 at a time, seen ${seen.most}`);
    assert.ok(seen.least >= 3, `at least 3 healthy, seen ${seen.least}`);
    assert.equal(service.status?.deployments?.length, 1);
    const sets = await eventually("the old task set goes", async () => {
      const { items: found } = await house.client.list("TaskSet");
      return found.length === 1 && found;
    });
    assert.equal(sets[0]?.spec.taskDefinition, "app:2");
  });

  it("[09-39] waits with the reason where no machine has room, and starts when one joins", async () => {
    await house.define("app");
    await house.serve("web", { desiredCount: 2 });
    const waiting = await eventually("two tasks wait", async () => {
      const tasks = await house.tasks();
      return tasks.length === 2 && tasks.every(({ status }) => status?.lastStatus === "PROVISIONING") && tasks;
    });
    for (const { status } of waiting) {
      const condition = status?.conditions?.find(({ type }) => type === "Placed");
      assert.deepEqual([condition?.status, condition?.message], ["False", "the cluster has no container instances"]);
    }
    const service = await eventually("the service says so", async () => {
      const found = await house.service("web");
      return found?.status?.conditions?.find(({ reason }) => reason === "NoRoom") && found;
    });
    assert.match(
      messagesOf(service),
      /^\(service web\) was unable to place a task because no container instance met all of its requirements\.$/m,
    );
    await house.machine("m1");
    await house.steady("web");
    assert.deepEqual(names(await house.running()), names(waiting));
  });

  it("starts nothing while its cluster or definition is missing, says why, and heals", async () => {
    await house.machine("m1");
    await house.serve("web", { desiredCount: 1, cluster: "other", taskDefinition: "late" });
    const reason = (wanted: string) =>
      eventually(wanted, async () => {
        const ready = (await house.service("web"))?.status?.conditions?.find(({ type }) => type === "Ready");
        return ready?.reason === wanted && ready;
      });
    assert.equal((await reason("ClusterNotFound")).message, "Cluster not found.");
    await house.client.create("Cluster", {
      apiVersion: "davit.dev/v1",
      kind: "Cluster",
      metadata: { namespace: "default", name: "other" },
      spec: {},
    });
    assert.equal((await reason("TaskDefinitionNotFound")).message, "TaskDefinition not found.");
    assert.deepEqual(await house.tasks(), []);
    await house.define("late");
    await eventually("its task waits for a machine of that cluster", async () => {
      const [task] = await house.tasks();
      return task?.status?.lastStatus === "PROVISIONING";
    });
  });

  it("says so when its percents allow no move", async () => {
    await house.machine("m1");
    await house.define("app");
    const deploymentConfiguration = { maximumPercent: 100, minimumHealthyPercent: 100 };
    await house.serve("web", { desiredCount: 1, deploymentConfiguration });
    await house.steady("web");
    await house.define("app", { image: "busybox:2" });
    const ready = await eventually("it is stuck", async () => {
      const found = (await house.service("web"))?.status?.conditions?.find(({ type }) => type === "Ready");
      return found?.reason === "Stuck" && found;
    });
    assert.match(ready.message, /of 1 at least 1 must stay healthy and at most 1 may run; raise maximumPercent/);
    assert.equal((await house.running())[0]?.status?.taskDefinition, "app:1");
  });

  it("a revision that cannot be run starts nothing, and names the field", async () => {
    await house.machine("m1");
    await house.define("app", { user: "nobody" });
    await house.serve("web");
    const ready = await eventually("it says so", async () => {
      const found = (await house.service("web"))?.status?.conditions?.find(({ type }) => type === "Ready");
      return found?.reason === "NotImplemented" && found;
    });
    assert.equal(ready.message, "NotImplemented: containerDefinitions[0].user");
    assert.deepEqual(await house.tasks(), []);
  });

  it("is DRAINING when deleted, and leaves nothing behind", async () => {
    const machine = await house.machine("m1", { simulated: { stopMs: 100 } });
    await house.define("app");
    await house.serve("web");
    await house.steady("web");
    await house.client.delete("Service", { namespace: "default", name: "web" });
    await eventually("DRAINING", async () => (await house.service("web"))?.status?.status === "DRAINING");
    await eventually("all is gone", async () => {
      const sets = await house.client.list("TaskSet");
      return !(await house.service("web")) && sets.items.length === 0 && (await house.tasks()).length === 0;
    });
    assert.equal(machine.runtime().containers.size, 0);
  });

  it("converges when the control plane is restarted in the middle, without a task too many", async () => {
    const machine = await house.machine("m1", { simulated: { startMs: 30 } });
    await house.define("app");
    await house.serve("web", { desiredCount: 20 });
    for (let times = 0; times < 4; times++) {
      await eventually("something has happened", async () => (await house.tasks()).length > times * 4);
      await house.restartControllers();
    }
    await house.steady("web");
    const tasks = await house.tasks();
    assert.equal(tasks.length, 20);
    assert.equal(machine.runtime().containers.size, 20);
    const slots = new Set(tasks.map(({ metadata }) => metadata.labels?.["davit.dev/slot"]));
    assert.equal(slots.size, 20);
  });
});
