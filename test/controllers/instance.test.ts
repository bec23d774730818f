import assert from "node:assert/strict";
import { eventually } from "../support/wait.js";
import { type House, type Machine, openHouse } from "./support/house.js";

const cluster = { namespace: "default", name: "default" };

describe("machines and their cluster", () => {
  let house: House;
  beforeEach(async () => {
    house = await openHouse();
  });
  afterEach(async () => {
    await house.close();
  });
  const instance = async ({ id }: Machine) => {
    const found = await house.client.get("ContainerInstance", { namespace: "default", name: id });
    return found?.status;
  };

  it("[09-2] a new cluster is ACTIVE and its four counters are 0; then they count", async () => {
    const counts = async () => {
      const status = (await house.client.get("Cluster", cluster))?.status;
      return [
        status?.status,
        status?.registeredContainerInstancesCount,
        status?.runningTasksCount,
        status?.pendingTasksCount,
        status?.activeServicesCount,
      ];
    };
    await eventually("it has a status", async () => (await counts())[0]);
    assert.deepEqual(await counts(), ["ACTIVE", 0, 0, 0, 0]);
    await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 2 });
    await eventually("it counts", async () => String(await counts()) === "ACTIVE,1,2,0,1");
  });

  it("[09-16] a registered machine is ACTIVE, connected, with the three keys of its versions", async () => {
    const machine = await house.machine("m1");
    const status = await instance(machine);
    assert.deepEqual([status?.status, status?.agentConnected, status?.epoch], ["ACTIVE", true, 1]);
    assert.deepEqual(Object.keys(status?.versionInfo ?? {}).sort(), ["agentHash", "agentVersion", "dockerVersion"]);
    assert.equal(
      status?.containerInstanceArn,
      `arn:aws:ecs:local:000000000000:container-instance/default/${machine.id}`,
    );
  });

  it("[07-55] a task's start and end change its resources, each written change with the next version", async () => {
    const machine = await house.machine("m1");
    const before = await instance(machine);
    const seen: { version: number; memory: number }[] = [];
    const watching = new AbortController();
    const { resourceVersion } = await house.client.list("ContainerInstance");
    const watch = (async () => {
      const options = { resourceVersion, signal: watching.signal };
      for await (const { events } of house.client.watch("ContainerInstance", options))
        for (const { object } of events) {
          const memory = object.status?.remainingResources?.find(({ name }) => name === "MEMORY")?.integerValue;
          seen.push({ version: object.status?.version ?? 0, memory: memory ?? 0 });
        }
    })();
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    await eventually("16 MiB less", () => seen.at(-1)?.memory === 16_384 - 16);
    await house.client.patch("Service", { ...cluster, name: "web" }, { spec: { desiredCount: 0 } });
    await eventually("all there again", () => seen.at(-1)?.memory === 16_384);
    watching.abort();
    await watch;
    const versions = seen.map(({ version }) => version);
    assert.deepEqual(
      versions,
      versions.map((_, at) => (before?.version ?? 0) + 1 + at),
    );
  });

  it("the loss of an agent is seen and its tasks are shown out of reach; both end when it is back", async () => {
    const machine = await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    await house.steady("web");
    const containers = [...machine.runtime().containers.keys()];
    await machine.kill();
    await eventually("disconnected", async () => (await instance(machine))?.agentConnected === false);
    await eventually("out of reach", async () => (await house.running())[0]?.status?.connectivity === "DISCONNECTED");
    await machine.start();
    await eventually("connected", async () => (await instance(machine))?.agentConnected === true);
    await eventually("in reach", async () => (await house.running())[0]?.status?.connectivity === "CONNECTED");
    assert.equal((await instance(machine))?.epoch, 2);
    assert.deepEqual([...machine.runtime().containers.keys()], containers);
  });

  it("[04-8] an agent that is restarted, its state lost, is the same machine and adopts what runs (ea#782, ea#921)", async () => {
    const machine = await house.machine("m1");
    await house.define("app");
    await house.serve("web", { desiredCount: 2 });
    await house.steady("web");
    const containers = [...machine.runtime().containers.keys()].sort();
    for (let times = 2; times <= 6; times++) {
      await machine.kill();
      await machine.start();
      await eventually("its next session", async () => (await instance(machine))?.epoch === times);
    }
    assert.equal((await house.client.list("ContainerInstance")).items.length, 1);
    assert.deepEqual([...machine.runtime().containers.keys()].sort(), containers);
    assert.equal((await house.running()).length, 2);
  });

  it("what reports say is known in the end, however many of them get lost (ea#208, ea#417, ea#705)", async () => {
    const machine = await house.machine("m1", { simulated: { startMs: [0, 50], stopMs: [0, 50] } });
    await house.define("app");
    house.bus.loss = 0.4;
    await house.serve("web", { desiredCount: 20 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await house.client.patch("Service", { namespace: "default", name: "web" }, { spec: { desiredCount: 5 } });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await house.client.patch("Service", { namespace: "default", name: "web" }, { spec: { desiredCount: 12 } });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    house.bus.loss = 0;
    await eventually(
      "as many as wanted, here and there",
      async () => (await house.running()).length === 12 && machine.runtime().containers.size === 12,
    );
  });

  it("a lost bus is no lost fleet: nothing is said of the machines while the control plane itself is cut off", async () => {
    const machine = await house.machine("m1");
    const { version } = (await instance(machine)) ?? {};
    house.bus.setConnected(false);
    // Longer than the grace time: time itself is what is tested here.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.equal((await instance(machine))?.version, version);
    house.bus.setConnected(true);
    await eventually("synced again", async () => ((await instance(machine))?.epoch ?? 0) >= 2);
    assert.equal((await instance(machine))?.agentConnected, true);
  });

  it("a clean goodbye disconnects at once", async () => {
    const machine = await house.machine("m1");
    await machine.stop();
    await eventually("disconnected", async () => (await instance(machine))?.agentConnected === false, 900);
  });

  it("a draining machine gets no new tasks, and does again when it is active", async () => {
    const machine = await house.machine("m1");
    const ref = { namespace: "default", name: machine.id };
    await house.client.patch("ContainerInstance", ref, { spec: { status: "DRAINING" } });
    await eventually("DRAINING", async () => (await instance(machine))?.status === "DRAINING");
    await house.define("app");
    await house.serve("web", { desiredCount: 1 });
    await eventually("it waits", async () => (await house.tasks())[0]?.status?.lastStatus === "PROVISIONING");
    await house.client.patch("ContainerInstance", ref, { spec: { status: "ACTIVE" } });
    await house.steady("web");
  });

  it("an agent with an old session is told so, and none of its reports counts", async () => {
    const machine = await house.machine("m1");
    const answer = await house.bus
      .agent(machine.id)
      .report({ type: "davit.v1.ReportBatch", instance: machine.id, epoch: 0, reports: [] }, 1_000);
    assert.deepEqual([answer.ok, answer.superseded], [false, true]);
  });

  it("a control plane that was restarted knows every agent again without their doing", async () => {
    const machine = await house.machine("m1");
    await house.define("app");
    await house.restartControllers();
    await house.serve("web", { desiredCount: 2 });
    await house.steady("web");
    assert.equal(machine.runtime().containers.size, 2);
  });
});
