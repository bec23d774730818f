import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { eventAddress } from "../../bus/subjects.js";
import { randomFrom, seedOf } from "../support/soak-count.js";
import { eventually } from "../support/wait.js";
import { folded, sameMaps, startWorld, type World } from "./support.js";

const tasks = (stored: Awaited<ReturnType<World["stored"]>>) =>
  stored.filter(({ subject }) => eventAddress(subject)?.kind === "Task");
const versions = (stored: Awaited<ReturnType<World["stored"]>>, name: string) =>
  tasks(stored)
    .filter(({ body }) => body.detail.davit.name === name)
    .map(({ body, headers }) => `${body.detail.version}${headers.state === "DELETED" ? " deleted" : ""}`);

describe("the event publisher", () => {
  let world: World;
  const caughtUp = () => eventually("all is published", () => world.acknowledged() >= world.store.revision());
  afterEach(() => world.close());

  it("[07-55] tells each written change of a task in ECS's shape, once, with rising versions", async () => {
    world = await startWorld("events-shape");
    await caughtUp(); // what is there before the stream's snapshot is told as it is then
    const { metadata } = await world.createTask("web-1");
    await world.moveTask("web-1", { lastStatus: "RUNNING", containers: [] });
    await world.moveTask("web-1", { lastStatus: "STOPPED", stoppedReason: "Essential container in task exited" });
    await world.api.trustedClient.delete("Task", { namespace: "default", name: "web-1" });
    await caughtUp();
    const stored = await world.stored();
    assert.deepEqual(versions(stored, "web-1"), ["1", "2", "3", "4 deleted"]);
    const running = tasks(stored)[1];
    assert.ok(running);
    const id = metadata.uid.replaceAll("-", "");
    assert.equal(running.subject, `davit.v1.event.default.default.Task.service%3Aweb.${id}`);
    const { id: eventId, time, detail, ...envelope } = running.body;
    assert.deepEqual(envelope, {
      version: "0",
      "detail-type": "ECS Task State Change",
      source: "aws.ecs",
      account: "000000000000",
      region: "local",
      resources: ["arn:aws:ecs:local:000000000000:task/default/web-1"],
    });
    assert.match(eventId, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(detail.lastStatus, "RUNNING");
    assert.equal(detail.desiredStatus, "RUNNING");
    assert.deepEqual(detail.overrides, { containerOverrides: [] });
    assert.deepEqual(detail.davit, { kind: "Task", namespace: "default", name: "web-1", uid: metadata.uid });
    assert.equal(running.headers.version, "2");
    assert.equal(running.headers.state, "present");
    assert.equal(Number(running.headers.epoch), world.publisher.current()?.epoch);
  });

  it("tells nothing of a change that does not raise status.version, and counts for kinds without one", async () => {
    world = await startWorld("events-quiet");
    await caughtUp();
    const { trustedClient: client } = world.api;
    await world.createTask("web-1");
    const quiet = { namespace: "default", name: "web-1" };
    await client.patch("Task", quiet, { metadata: { labels: { a: "b" } } });
    const service = { namespace: "default", name: "web" };
    await client.create("Service", {
      apiVersion: "davit.dev/v1",
      kind: "Service",
      metadata: service,
      spec: { taskDefinition: "web" },
    });
    await client.patch("Service", service, { spec: { desiredCount: 2 } });
    await client.patch("Service", service, { spec: { desiredCount: 3 } });
    await caughtUp();
    const stored = await world.stored();
    assert.deepEqual(versions(stored, "web-1"), ["1"]);
    const services = stored.filter(({ subject }) => eventAddress(subject)?.kind === "Service");
    assert.deepEqual(
      services.map(({ body }) => [body["detail-type"], body.detail.version, body.detail.desiredCount]),
      [
        ["Davit Service State Change", 1, undefined],
        ["Davit Service State Change", 2, 2],
        ["Davit Service State Change", 3, 3],
      ],
    );
    assert.equal(services[0]?.subject, "davit.v1.event.default.default.Service.service%3Aweb.web");
  });

  it("names the address of a task's machine", async () => {
    world = await startWorld("events-address");
    await world.api.trustedClient.create("ContainerInstance", {
      apiVersion: "davit.dev/v1",
      kind: "ContainerInstance",
      metadata: { name: "machine", namespace: "default" },
      spec: {},
      status: { version: 1, hostname: "host-1", address: "10.0.0.7" },
    });
    await caughtUp();
    await world.createTask("web-1", { spec: { taskDefinition: "web:1", containerInstance: "machine" } });
    await caughtUp();
    const [event] = tasks(await world.stored());
    assert.equal(event?.body.detail.davit.hostAddress, "10.0.0.7");
  });

  it("goes on after a restart where it was: nothing twice, nothing missing", async () => {
    world = await startWorld("events-restart");
    await world.createTask("web-1");
    await caughtUp();
    await world.stopPublisher();
    await world.moveTask("web-1", { lastStatus: "RUNNING" });
    await world.createTask("web-2");
    await world.api.trustedClient.delete("Task", { namespace: "default", name: "web-2" });
    world.startPublisher();
    await caughtUp();
    await world.moveTask("web-1", { lastStatus: "STOPPED" });
    await caughtUp();
    const stored = await world.stored();
    assert.deepEqual(versions(stored, "web-1"), ["1", "2", "3"]);
    assert.deepEqual(versions(stored, "web-2"), ["1", "2 deleted"]);
    assert.equal(stored.filter(({ subject }) => subject === "davit.v1.event._epoch").length, 1);
  });

  it("waits while the bus is away, and loses nothing", async () => {
    world = await startWorld("events-away");
    await world.createTask("web-1");
    await caughtUp();
    const acknowledged = world.acknowledged();
    await world.bus.restart(() => {}, "kill");
    const epoch = await eventually("open again", () => world.publisher.current()?.epoch);
    await world.bus.nats.stop();
    for (let n = 0; n < 20; n++) await world.moveTask("web-1", { lastStatus: n % 2 ? "PENDING" : "RUNNING" });
    assert.ok(world.acknowledged() < world.store.revision() && world.acknowledged() >= acknowledged);
    await world.bus.restart();
    await caughtUp();
    assert.deepEqual(
      versions(await world.stored(), "web-1"),
      Array.from({ length: 21 }, (_, n) => String(n + 1)),
    );
    assert.equal(world.publisher.current()?.epoch, epoch);
  });

  it("starts a new epoch when the stream's disk was wiped, and readers fold to the API's state again", async () => {
    world = await startWorld("events-wiped");
    const follower = await world.follow();
    await world.createTask("web-1");
    await world.createTask("gone");
    await eventually("followed", async () => follower.whole() && sameMaps(folded(follower), await world.truth()));
    const epoch = world.publisher.current()?.epoch ?? 0;
    await world.bus.restart(() => rmSync(join(world.bus.folder, "jetstream"), { recursive: true }));
    await world.api.trustedClient.delete("Task", { namespace: "default", name: "gone" });
    await world.moveTask("web-1", { lastStatus: "RUNNING" });
    await eventually("a new epoch", () => (world.publisher.current()?.epoch ?? 0) > epoch);
    await caughtUp();
    const stored = await world.stored();
    assert.equal(stored[0]?.subject, "davit.v1.event._epoch");
    assert.equal(Object.entries(stored[0]?.body ?? {}).find(([key]) => key === "reason")?.[1], "new");
    await eventually("followed again", async () => follower.whole() && sameMaps(folded(follower), await world.truth()));
  });

  it("starts a new epoch for another store", async () => {
    world = await startWorld("events-other-store");
    await world.createTask("web-1");
    await caughtUp();
    await world.stopPublisher();
    const { id } = world.store;
    Object.defineProperty(world.store, "id", { value: `${id}x` });
    const epoch = Number((await world.stored())[0]?.headers.epoch);
    world.startPublisher();
    await eventually("a new epoch", () => (world.publisher.current()?.epoch ?? 0) > epoch);
    await caughtUp();
    for (const { headers } of await world.stored()) assert.ok(Number(headers.epoch) > epoch);
  });

  it("says gap when the change log was cut past it, and still folds to the API's state", async () => {
    world = await startWorld("events-gap", { keep: 20 });
    const follower = await world.follow();
    await world.createTask("web-1");
    await world.createTask("gone");
    await caughtUp();
    await world.stopPublisher();
    for (let n = 0; n < 60; n++) await world.moveTask("web-1", { lastStatus: "RUNNING" });
    await world.api.trustedClient.delete("Task", { namespace: "default", name: "gone" });
    for (let n = 0; n < 60; n++) await world.moveTask("web-1", { lastStatus: "RUNNING" });
    world.startPublisher();
    await caughtUp();
    const stored = await world.stored();
    const reasons = stored
      .filter(({ subject }) => subject === "davit.v1.event._epoch")
      .map(({ body }) => Object.entries(body).find(([key]) => key === "reason")?.[1]);
    assert.deepEqual(reasons, ["new", "gap"]);
    assert.deepEqual(versions(stored, "gone"), ["1", "2 deleted"]);
    assert.equal(versions(stored, "web-1").at(-1), "121");
    await eventually("followed", async () => follower.whole() && sameMaps(folded(follower), await world.truth()));
  });

  it("repeats what is still true before the stream's limits drop it", async () => {
    let laterMs = 0;
    world = await startWorld("events-refresh", { limits: { maxAgeMs: 600_000 }, now: () => Date.now() + laterMs });
    await world.createTask("web-1");
    await world.createTask("gone");
    await world.api.trustedClient.delete("Task", { namespace: "default", name: "gone" });
    await caughtUp();
    laterMs = 300_001;
    const repeated = await eventually("repeated", async () => {
      const found = (await world.stored()).filter(({ headers }) => headers.snapshot === "true");
      return found.some(({ body }) => body.detail.davit.name === "web-1") && found;
    });
    assert.deepEqual(versions(repeated, "web-1"), ["1"]);
    assert.deepEqual(versions(repeated, "gone"), []);
  });

  it("publishes each version once where batches arrive in part, or their acknowledgement is lost", async () => {
    const random = randomFrom(seedOf("faults"));
    let faults = 0;
    let faulty = false;
    world = await startWorld("events-faults", {
      fault: (stream) => ({
        ...stream,
        publish: async (messages) => {
          const dice = random();
          if (!faulty || dice > 0.4) return stream.publish(messages);
          faults += 1;
          await stream.publish(dice < 0.2 ? messages : messages.slice(0, Math.floor(random() * messages.length)));
          throw new Error("the acknowledgement was lost");
        },
      }),
    });
    // A snapshot that breaks off is made again, of what is then there: only after it is each version an event.
    await caughtUp();
    faulty = true;
    const names = Array.from({ length: 10 }, (_, n) => `t-${n}`);
    await Promise.all(names.map((name) => world.createTask(name)));
    for (let n = 0; n < 5; n++) {
      const before = faults;
      await Promise.all(names.map((name) => world.moveTask(name, { lastStatus: "RUNNING" })));
      await eventually(
        "one more fault, or all is out",
        () => faults > before || world.acknowledged() >= world.store.revision(),
      );
    }
    await caughtUp();
    const stored = await world.stored();
    for (const name of names) assert.deepEqual(versions(stored, name), ["1", "2", "3", "4", "5", "6"]);
    assert.ok(faults > 0);
  });

  it("goes on when somebody else writes into the stream", async () => {
    world = await startWorld("events-foreign");
    await world.createTask("web-1");
    await caughtUp();
    const client = await world.connection.whenConnected(5000);
    client.publish("davit.v1.event.nonsense", Buffer.from("x"));
    await client.flush();
    await world.moveTask("web-1", { lastStatus: "RUNNING" });
    await caughtUp();
    const found = await (await client.jetstreamManager()).streams.getMessage("EVENTS", {
      last_by_subj: "davit.v1.event.*.*.Task.>",
    });
    assert.equal(JSON.parse(Buffer.from(found.data).toString()).detail.version, 2);
  });

  it("publishes a burst with few acknowledgements, and passes 2,000 events a second", async () => {
    world = await startWorld("events-burst");
    await caughtUp();
    const client = await world.connection.whenConnected(5000);
    const before = client.stats().inMsgs;
    await world.stopPublisher();
    await Promise.all(Array.from({ length: 2000 }, (_, n) => world.createTask(`t-${n}`)));
    world.startPublisher();
    const began = performance.now();
    await caughtUp();
    const seconds = (performance.now() - began) / 1000;
    assert.ok(client.stats().inMsgs - before < 200, `${client.stats().inMsgs - before} messages came back`);
    console.log(`      ${Math.round(2000 / seconds)} events/s`);
  });
});
