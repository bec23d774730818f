import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { type Machines, startMachines } from "./machines.js";
import { eventually } from "./wait.js";

describe("machines of a test", () => {
  let lan: Machines;
  before(async () => {
    lan = await startMachines(["one", "two"]);
  });
  after(() => lan?.remove());

  const bootOf = async (name: string) => (await lan.machine(name).run("readlink /proc/self/ns/net")).stdout;
  const reaches = async (from: string, address: string) =>
    (await lan.machine(from).run(`busybox ping -c 1 -W 1 ${address}`)).code === 0;

  it("reach each other and this process, until a cable is pulled", async () => {
    const [one, two] = [lan.machine("one"), lan.machine("two")];
    assert.ok(await reaches("one", two.address));
    assert.ok(await reaches("two", lan.address));
    await two.link("down");
    assert.ok(!(await reaches("one", two.address)));
    assert.ok(await reaches("one", lan.address));
    await two.link("up");
    assert.ok(await reaches("two", one.address));
  });

  it("have a host name, a machine id, a /var/lib and the davit command", async () => {
    const [one, two] = [lan.machine("one"), lan.machine("two")];
    const { stdout } = await two.run("hostname; cat /etc/machine-id; touch /var/lib/mine; davit --version");
    const [name, machineId, version] = stdout.split("\n");
    assert.equal(name, "two");
    assert.equal(machineId, two.machineId);
    assert.match(version ?? "", /^\d+\.\d+/);
    assert.notEqual(one.machineId, two.machineId);
    assert.deepEqual([readdirSync(two.lib), readdirSync(one.lib)], [["mine"], []]);
    assert.ok(!existsSync("/var/lib/mine"));
  });

  it("lose what runs on them in a reboot, and what tells one boot from the next changes", async () => {
    const one = lan.machine("one");
    const before = await bootOf("one");
    one.start("sleep 1000");
    one.start("(sleep 1000 &) ; sleep 1000");
    await eventually("they run", async () => (await one.processes()).length >= 3);
    await one.reboot();
    assert.deepEqual(await one.processes(), []);
    assert.notEqual(await bootOf("one"), before);
    assert.ok(await reaches("one", lan.machine("two").address));
  });

  it("leave nothing", async () => {
    const gone = await startMachines(["three"]);
    const mine = () => readdirSync("/run/netns").filter((name) => name.includes("-three-"));
    assert.equal(mine().length, 1);
    gone.machine("three").start("sleep 1000");
    await gone.remove();
    assert.deepEqual(mine(), []);
    await gone.remove();
  });
});
