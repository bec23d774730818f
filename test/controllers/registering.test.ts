// How a machine gets in, or is told why not: by its agent's syncs, on a real store and API.
import assert from "node:assert/strict";
import type { SyncAnswer, SyncRequest } from "../../bus/messages.js";
import { instanceIdOf } from "../../controllers/enrolment/identity.js";
import { taskReport } from "../bus/support.js";
import { eventually } from "../support/wait.js";
import { type House, idOf, openHouse } from "./support/house.js";
import { syncOf } from "./support/objects.js";

const HEARTBEAT_MS = 200;

describe("a machine registers", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse({ version: "1.2.9", heartbeatMs: HEARTBEAT_MS });
  });
  afterEach(async () => {
    await house.close();
  });
  const sync = (parts: Partial<SyncRequest> = {}, name = "m1"): Promise<SyncAnswer> =>
    house.bus.agent(idOf(name)).sync(syncOf(parts.instance ?? idOf(name), parts), 5_000);
  const object = (name = idOf("m1")) => house.client.get("ContainerInstance", { namespace: "default", name });
  const joins = async (name = idOf("m1"), cluster = "default") =>
    house.client.create("ContainerInstance", {
      apiVersion: "davit.dev/v1",
      kind: "ContainerInstance",
      metadata: { namespace: "default", name },
      spec: { cluster },
    });
  const status = (name?: string) => object(name).then((found) => found?.status);
  const ready = async () => (await status())?.conditions?.find(({ type }) => type === "Ready");

  it("[04-10] one that has joined is REGISTERING until its first sync, and gets nothing; then ACTIVE", async () => {
    await joins();
    await eventually("REGISTERING", async () => (await status())?.status === "REGISTERING");
    assert.deepEqual([(await ready())?.status, (await ready())?.reason], ["False", "Registering"]);
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    await eventually("it waits", async () => (await house.tasks())[0]?.status?.lastStatus === "PROVISIONING");
    const answer = await sync();
    assert.deepEqual([answer.epoch, answer.refused], [1, undefined]);
    assert.deepEqual([(await status())?.status, (await status())?.agentConnected], ["ACTIVE", true]);
    await eventually("placed", async () => (await house.tasks())[0]?.status?.lastStatus === "PENDING");
  });

  it("[04-11] what fails before it ever was ACTIVE is REGISTRATION_FAILED, and says why; a later try may succeed", async () => {
    await joins();
    await eventually("REGISTERING", async () => (await status())?.status === "REGISTERING");
    const answer = await sync({ agentVersion: "1.3.0" });
    assert.deepEqual([answer.epoch, answer.assignments, answer.refused?.reason], [0, [], "VersionSkew"]);
    const failed = await status();
    assert.equal(failed?.status, "REGISTRATION_FAILED");
    assert.match(failed?.statusReason ?? "", /this one is 1\.3\.0: update the server first/);
    assert.deepEqual((await ready())?.reason, "RegistrationFailed");
    assert.equal((await sync()).refused, undefined);
    const now = await status();
    assert.deepEqual([now?.status, now?.statusReason, now?.agentConnected], ["ACTIVE", undefined, true]);
    assert.equal(
      now?.conditions?.find(({ type }) => type === "Refused"),
      undefined,
    );
  });

  it("[05-3] [01-9] one that names a cluster which is not there is refused with a word; none is made", async () => {
    const answer = await sync({ cluster: "prod" });
    assert.equal(answer.refused?.reason, "ClusterNotFound");
    assert.match(answer.refused?.message ?? "", /Cluster not found: prod\./);
    assert.equal(answer.refused?.retryMs, 2 * HEARTBEAT_MS);
    assert.deepEqual([(await house.client.list("Cluster")).items.length, await object()], [1, undefined]);
    await house.client.create("Cluster", {
      apiVersion: "davit.dev/v1",
      kind: "Cluster",
      metadata: { namespace: "default", name: "prod" },
      spec: {},
    });
    assert.equal((await sync({ cluster: "prod" })).epoch, 1);
  });

  it("one that has another cluster's name than before is told that machines do not move, and what to do", async () => {
    await sync();
    const answer = await sync({ cluster: "prod" });
    assert.equal(answer.refused?.reason, "InvalidRegistration");
    assert.match(answer.refused?.message ?? "", /belongs to cluster default, and its agent names prod.*deregister/);
    const now = await status();
    assert.deepEqual([now?.status, now?.agentConnected], ["ACTIVE", false]);
    assert.equal(now?.conditions?.find(({ type }) => type === "Refused")?.reason, "InvalidRegistration");
  });

  const invalid: [string, Partial<SyncRequest>, RegExp][] = [
    ["without memory", { resources: [{ name: "CPU", type: "INTEGER", integerValue: 1024 }] }, /MEMORY is missing/],
    [
      "with nothing left of its memory",
      { resources: syncOf("").resources.map((each) => ({ ...each, integerValue: 0 })) },
      /CPU is 0; it must be from 1 to/,
    ],
    [
      "with more than there can be",
      { resources: syncOf("").resources.map((each) => ({ ...each, integerValue: 1e15 })) },
      /CPU is 1000000000000000; it must be from 1 to 2147483647/,
    ],
    ["with an endless name", { hostname: "h".repeat(1e6) }, /^hostname: it has 1000000 characters; at most 253/],
    [
      "with an endless attribute",
      { attributes: [{ name: "a", value: "v".repeat(129) }] },
      /^attributes: "a": .*128.*ECS_INSTANCE_ATTRIBUTES/,
    ],
    [
      "with endless attributes",
      { attributes: Array.from({ length: 501 }, (_, at) => ({ name: `a${at}` })) },
      /^attributes: there are 501; at most 500/,
    ],
    ["with a range of ports that is none", { portRange: "9000-8000" }, /portRange: "9000-8000" is no range/],
    ["with a tag that is too long", { tags: [{ key: "k".repeat(129), value: "v" }] }, /tags: "k+" has 129 characters/],
  ];
  for (const [what, parts, text] of invalid)
    it(`one ${what} is refused, and no object is made`, async () => {
      const { refused } = await sync(parts);
      assert.equal(refused?.reason, "InvalidRegistration");
      assert.match(refused?.message ?? "", text);
      assert.equal(await object(), undefined);
    });

  it("[04-40] its tags become the object's when that is made, also where it was made by joining; never again", async () => {
    const tags = [{ key: "rack", value: "r7" }];
    await sync({ tags });
    assert.deepEqual((await object())?.spec.tags, tags);
    await sync({ tags: [{ key: "rack", value: "r8" }] });
    assert.deepEqual((await object())?.spec.tags, tags);
    await joins(idOf("m2"));
    await sync({ tags }, "m2");
    assert.deepEqual((await object(idOf("m2")))?.spec.tags, tags);
  });

  it("each sync is the next epoch, above the store's and the agent's own: also after the store was restored", async () => {
    assert.deepEqual([(await sync()).epoch, (await sync({ epoch: 1 })).epoch], [1, 2]);
    assert.equal((await sync({ epoch: 41 })).epoch, 42);
  });

  it("new resources count at once; what its tasks hold beyond them is said, and nothing more is placed", async () => {
    const machine = await house.machine("m2", { simulated: { memoryMiB: 64 }, agent: { agentVersion: "1.2.0" } });
    await house.define("app");
    await house.serve("web", { desiredCount: 4 });
    await house.steady("web");
    await machine.kill();
    const smaller = [
      { name: "CPU", type: "INTEGER" as const, integerValue: 1024 },
      { name: "MEMORY", type: "INTEGER" as const, integerValue: 40 },
    ];
    await sync({ resources: smaller }, "m2");
    const over = await eventually("overcommitted", async () =>
      (await status(machine.id))?.conditions?.find(({ type }) => type === "Overcommitted"),
    );
    assert.deepEqual([over.status, over.message.includes("24 MEMORY")], ["True", true]);
    assert.equal((await house.tasks()).filter((task) => task.spec.desiredStatus === "STOPPED").length, 0);
  });

  it("a machine whose credential was taken back is turned out at once, and refused", async () => {
    await sync();
    await house.client.patch(
      "ContainerInstance",
      { namespace: "default", name: idOf("m1") },
      { spec: { revoked: true } },
    );
    await eventually("disconnected", async () => (await status())?.agentConnected === false);
    const report = { type: "davit.v1.ReportBatch" as const, instance: idOf("m1"), epoch: 1, reports: [] };
    assert.equal((await house.bus.agent(idOf("m1")).report(report, 1_000)).superseded, true);
    assert.equal((await sync()).refused?.reason, "Revoked");
  });

  it("one whose object is gone in spite of all stays out until its agent is restarted: what it runs runs on", async () => {
    assert.equal((await sync({ epoch: 7 })).refused?.reason, "Deregistered");
    assert.equal(await object(), undefined);
    assert.equal((await sync({ epoch: 0 })).epoch, 1);
  });

  it("one that joins by HTTPS registers under the object that joining made, and under no other", async () => {
    const instance = instanceIdOf("default", "machine-7");
    const { refused } = await sync({ instance, machineId: "machine-7" });
    assert.deepEqual([refused?.reason, await object(instance)], ["Deregistered", undefined]);
    await joins(instance);
    assert.equal((await sync({ instance, machineId: "machine-7" })).epoch, 1);
    assert.equal((await status(instance))?.machineId, "machine-7");
  });

  it("one that joined and has left does not come back with the key that it had, but by joining anew", async () => {
    const instance = instanceIdOf("default", "machine-8");
    const request = { instance, machineId: "machine-8" };
    const keyed = async (state: "REGISTERING" | undefined) => {
      const joined = (await object(instance)) ?? assert.fail("no object");
      const { status: known = {} } = joined;
      const publicKey = "U-machine-8";
      const changed = { ...joined, status: { ...known, publicKey, ...(state && { status: state }) } };
      return house.api.trustedClient.updateStatus("ContainerInstance", changed, { fieldManager: "test" });
    };
    await joins(instance);
    await keyed(undefined);
    await sync(request);
    const { epoch } = await sync({ ...request, machineId: "machine-9" });
    assert.equal((await status(instance))?.machineId, "machine-8", "it does not call itself another one");
    house.bus.agent(instance).goodbye({ type: "davit.v1.Goodbye", instance, epoch, kind: "leave" });
    await eventually("it has left", async () => (await status(instance))?.status === "INACTIVE");
    assert.equal((await sync(request)).refused?.reason, "Deregistered");
    // A copy that still runs something: it is told to clear that, and is no machine of the cluster.
    const task = taskReport("f".repeat(32));
    assert.deepEqual((await sync({ ...request, tasks: [task] })).assignments, []);
    assert.equal((await status(instance))?.status, "INACTIVE");
    await keyed("REGISTERING");
    assert.equal((await sync(request)).refused, undefined);
    assert.equal((await status(instance))?.status, "ACTIVE");
  });

  describe("two machines with one identity", () => {
    const heartbeat = (epoch: number) =>
      house.bus.agent(idOf("m1")).heartbeat({ type: "davit.v1.Heartbeat", instance: idOf("m1"), epoch });

    it("the second is refused, with what to do, as long as the first is heard (ea#125)", async () => {
      const beating = setInterval(() => heartbeat(1), HEARTBEAT_MS / 4);
      try {
        await sync({ bootId: "one", hostname: "first" });
        assert.equal((await sync({ bootId: "two", hostname: "second" })).refused?.reason, "Busy");
        const { refused } = await eventually("known as a clone", async () => {
          const answer = await sync({ bootId: "two", hostname: "second" });
          return answer.refused?.reason === "Cloned" && answer;
        });
        assert.match(
          refused?.message ?? "",
          /second .* has the identity of first.*machine id.*data folder.*join it anew/,
        );
        const condition = (await status())?.conditions?.find(({ type }) => type === "Refused");
        assert.deepEqual([condition?.status, condition?.reason], ["True", "Cloned"]);
        assert.deepEqual([(await status())?.agentConnected, (await status())?.epoch], [true, 1]);
        // The first one itself may open as many sessions as it likes.
        assert.equal((await sync({ bootId: "one", hostname: "first" })).epoch, 2);
      } finally {
        clearInterval(beating);
      }
    });

    it("a machine that has only booted again gets in once the old session stays silent", async () => {
      await sync({ bootId: "one" });
      assert.equal((await sync({ bootId: "two" })).refused?.reason, "Busy");
      const answer = await eventually("in", async () => {
        const next = await sync({ bootId: "two" });
        return next.refused === undefined && next;
      });
      assert.equal(answer.epoch, 2);
    });

    it("after a restart of the control plane the first one has the first right", async () => {
      await sync({ bootId: "one" });
      await house.restartControllers();
      assert.equal((await sync({ bootId: "two" })).refused?.reason, "Busy");
      assert.equal((await sync({ bootId: "one" })).epoch, 2);
      heartbeat(2);
      await eventually("known as a clone", async () => {
        heartbeat(2);
        return (await sync({ bootId: "two" })).refused?.reason === "Cloned";
      });
    });

    it("after a goodbye the next boot gets in at once", async () => {
      await sync({ bootId: "one" });
      house.bus
        .agent(idOf("m1"))
        .goodbye({ type: "davit.v1.Goodbye", instance: idOf("m1"), epoch: 1, kind: "restart" });
      assert.equal((await sync({ bootId: "two" })).epoch, 2);
    });
  });
});
