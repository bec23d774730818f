import assert from "node:assert/strict";
import type { New, Task, TaskSpec } from "../../api/types.gen.js";
import { eventually } from "../support/wait.js";
import { type House, openHouse } from "./support/house.js";

const ref = { namespace: "default", name: "job" };
const job = (spec: Partial<TaskSpec> = {}): New<"Task"> => ({
  apiVersion: "davit.dev/v1",
  kind: "Task",
  metadata: ref,
  spec: { taskDefinition: "app", ...spec },
});

describe("a task of its own on a simulated machine", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house.close();
  });
  const task = (): Promise<Task | undefined> => house.client.get("Task", ref);
  const reaches = (state: string): Promise<Task> =>
    eventually(state, async () => {
      const found = await task();
      return found?.status?.lastStatus === state && found;
    });
  /** Every written status of the task from now on. */
  async function history(): Promise<{ seen: Task[]; end(): Promise<void> }> {
    const stopping = new AbortController();
    const { resourceVersion } = await house.client.list("Task");
    const seen: Task[] = [];
    const watch = (async () => {
      for await (const { events } of house.client.watch("Task", { resourceVersion, signal: stopping.signal }))
        for (const { object } of events) if (object.status) seen.push(object);
    })();
    return {
      seen,
      end: async () => {
        stopping.abort();
        await watch;
      },
    };
  }

  it("[06-32] shows PENDING, RUNNING, STOPPED in order; its version rises by one with each change", async () => {
    await house.machine("m1", { simulated: { runMs: 300, exitCode: 0 } });
    await house.define("app");
    await eventually("registered", () =>
      house.client.get("TaskDefinitionRevision", { namespace: "default", name: "app.1" }),
    );
    const { seen, end } = await history();
    await house.client.create("Task", job());
    const { status } = await reaches("STOPPED");
    await end();
    const states = seen.map((each) => each.status?.lastStatus);
    assert.deepEqual([...new Set(states)], ["PENDING", "RUNNING", "STOPPED"]);
    const versions = [...new Set(seen.map((each) => each.status?.version))];
    assert.deepEqual(
      versions,
      versions.map((_, at) => at + 1),
    );
    assert.equal(status?.stoppedReason, "Essential container in task exited");
    assert.equal(status?.containers?.[0]?.exitCode, 0);
  });

  it("[06-16] is in the group of its family, unless it names another", async () => {
    await house.machine("m1");
    await house.define("app");
    await house.client.create("Task", job());
    const { spec, status } = await reaches("RUNNING");
    assert.deepEqual([spec.group, status?.group], ["family:app", "family:app"]);
  });

  it("[06-35] is to be STOPPED at once when asked, while its state still advances", async () => {
    await house.machine("m1", { simulated: { stopMs: 200 } });
    await house.define("app");
    await house.client.create("Task", job());
    await reaches("RUNNING");
    await house.client.patch("Task", ref, { spec: { desiredStatus: "STOPPED", stopReason: "enough" } });
    const asked = await eventually("asked", async () => {
      const found = await task();
      return found?.status?.desiredStatus === "STOPPED" && found;
    });
    assert.notEqual(asked.status?.lastStatus, "STOPPED");
    const { status } = await reaches("STOPPED");
    assert.deepEqual([status?.stopCode, status?.stoppedReason], ["UserInitiated", "enough"]);
  });

  it("stops before it goes when it is deleted", async () => {
    const machine = await house.machine("m1", { simulated: { stopMs: 50 } });
    await house.define("app");
    await house.client.create("Task", job());
    await reaches("RUNNING");
    await house.client.delete("Task", ref);
    assert.equal((await task())?.metadata.name, "job");
    await eventually("gone", async () => (await task()) === undefined);
    await eventually("nothing runs", () => machine.runtime().containers.size === 0);
  });

  it("that never had a machine is STOPPED at once", async () => {
    await house.define("app");
    await house.client.create("Task", job());
    await reaches("PROVISIONING");
    await house.client.patch("Task", ref, { spec: { desiredStatus: "STOPPED" } });
    const { status } = await reaches("STOPPED");
    assert.equal(status?.stoppedReason, "Task stopped by user");
  });

  it("of a revision that cannot be run is STOPPED, and names the field", async () => {
    await house.machine("m1");
    await house.define("app", { user: "nobody" });
    await house.client.create("Task", job());
    const { status } = await reaches("STOPPED");
    assert.deepEqual(
      [status?.stopCode, status?.stoppedReason],
      ["TaskFailedToStart", "NotImplemented: containerDefinitions[0].user"],
    );
  });

  it("[03-51] of a deregistered revision starts nothing, and says why", async () => {
    await house.machine("m1");
    await house.define("app");
    await eventually("registered", () =>
      house.client.get("TaskDefinitionRevision", { namespace: "default", name: "app.1" }),
    );
    await house.client.delete("TaskDefinition", { namespace: "default", name: "app" });
    await eventually("deregistered", async () => {
      const revision = await house.client.get("TaskDefinitionRevision", { namespace: "default", name: "app.1" });
      return revision?.status?.status === "INACTIVE";
    });
    await house.client.create("Task", job({ taskDefinition: "app:1" }));
    const { status } = await reaches("PROVISIONING");
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    assert.deepEqual([ready?.reason, ready?.message], ["TaskDefinitionInactive", "TaskDefinition is inactive"]);
  });

  it("[09-20] without ports has networkBindings []; with one its row shows machine and port", async () => {
    await house.machine("m1");
    await house.define("app", { portMappings: [{ containerPort: 80 }] });
    await house.define("plain");
    await house.client.create("Task", job());
    const { status } = await reaches("RUNNING");
    assert.match(status?.ports ?? "", /^10\.0\.0\.7:\d+→80\/tcp$/);
    assert.equal(status?.host, "m1");
    await house.client.create("Task", { ...job({ taskDefinition: "plain" }), metadata: { ...ref, name: "plain" } });
    const plain = await eventually("it runs", async () => {
      const found = await house.client.get("Task", { ...ref, name: "plain" });
      return found?.status?.lastStatus === "RUNNING" && found;
    });
    assert.deepEqual(plain.status?.containers?.[0]?.networkBindings, []);
  });

  it("on a machine of the user's choice runs there, or says what is missing there", async () => {
    const chosen = await house.machine("m1");
    await house.machine("m2", { simulated: { memoryMiB: 8 } });
    await house.define("app");
    await house.client.create("Task", job({ containerInstance: chosen.id }));
    assert.equal((await reaches("RUNNING")).spec.containerInstance, chosen.id);
    const small = (await house.client.list("ContainerInstance")).items.find(
      ({ metadata }) => metadata.name !== chosen.id,
    );
    const other = { ...ref, name: "other" };
    await house.client.create("Task", { ...job({ containerInstance: small?.metadata.name ?? "" }), metadata: other });
    await eventually("it waits", async () => {
      const found = await house.client.get("Task", other);
      return found?.status?.conditions?.find(({ message }) => message === "RESOURCE:MEMORY");
    });
  });
});
