// Stops that were decided on a view which is a moment old, against the real store and API.
import assert from "node:assert/strict";
import type { Task, TaskStatus } from "../../api/types.gen.js";
import { createObjects } from "../../controllers/objects.js";
import { stopAll } from "../../controllers/taskset/stops.js";
import { type House, openHouse } from "./support/house.js";
import { iso, pending, T0 } from "./support/objects.js";

const RUNNING: TaskStatus = { lastStatus: "RUNNING", startedAt: iso(T0), healthyAt: iso(T0), version: 2 };

describe("a stop decided on a view that is behind", () => {
  let house: House;
  before(async () => {
    house = await openHouse();
    await house.stopControllers();
  });
  after(() => house.close());

  /** A task as a plan saw it: PENDING. */
  async function seen(name: string): Promise<Task> {
    const { metadata, status, ...rest } = pending({ name });
    const made = await house.client.create("Task", { ...rest, metadata: { namespace: metadata.namespace, name } });
    return house.client.updateStatus("Task", { ...made, status });
  }
  const write = (task: Task, status: TaskStatus): Promise<Task> =>
    house.client.updateStatus("Task", { ...task, status: { ...task.status, ...status } });
  /** @returns names of the tasks that were asked to stop, by a controller to which only `task` was shown. */
  async function stop(task: Task, silent: string[] = []): Promise<string[]> {
    const objects = createObjects({ client: house.client, shown: { get: (_, __) => task as never } });
    const machines = { silent: new Set(silent), leaving: new Set<string>() };
    const pass = { machines, graceMs: 0, nowMs: T0 + 1 };
    const asked = await stopAll({ objects, now: () => T0 + 1 }, house.client, pass, { stops: [task] });
    return asked.map(({ metadata }) => metadata.name);
  }
  const desired = async (name: string) =>
    (await house.client.get("Task", { namespace: "default", name }))?.spec.desiredStatus;

  it("leaves alone a task that was starting and is healthy by now: the floor may need it", async () => {
    const task = await seen("web-0-a");
    await write(task, RUNNING);
    assert.deepEqual(await stop(task), []);
    assert.notEqual(await desired("web-0-a"), "STOPPED");
  });

  it("stops one that has changed and is still what it was", async () => {
    const task = await seen("web-1-a");
    await write(task, { lastStatus: "ACTIVATING", version: 2 });
    assert.deepEqual(await stop(task), ["web-1-a"]);
    assert.equal(await desired("web-1-a"), "STOPPED");
  });

  it("says nothing of one that is STOPPED, gone, or another of the same name by now", async () => {
    const ended = await seen("web-2-a");
    await write(ended, { lastStatus: "STOPPED", version: 2 });
    assert.deepEqual(await stop(ended), []);

    const gone = await seen("web-3-a");
    await house.client.delete("Task", gone.metadata);
    assert.deepEqual(await stop(gone), []);

    await seen("web-3-a");
    assert.deepEqual(await stop(gone), []);
    assert.notEqual(await desired("web-3-a"), "STOPPED");
  });
});
