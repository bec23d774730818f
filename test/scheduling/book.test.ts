import assert from "node:assert/strict";
import type { TaskDefinitionRevisionSpec } from "../../api/types.gen.js";
import { createBook } from "../../scheduling/book.js";
import { stopOrder } from "../../scheduling/choose-stops.js";
import { demand, demandOf } from "../../scheduling/demand.js";
import { instanceInfo, remainingResources } from "../../scheduling/resources.js";
import { bookOf, machine, put, small, tcp } from "./cluster.js";

const spec = (more: Partial<TaskDefinitionRevisionSpec>): TaskDefinitionRevisionSpec => ({
  family: "web",
  revision: 1,
  contentHash: "",
  containerDefinitions: [],
  ...more,
});

describe("demand", () => {
  it("[02-17] reservation 200 with limit 420 takes 200; memory 420 alone takes 420", () => {
    for (const [container, taken] of [
      [{ name: "a", image: "a", memoryReservation: 200, memory: 420 }, 200],
      [{ name: "a", image: "a", memory: 420 }, 420],
    ] as const) {
      const book = bookOf(machine("only", { memoryMiB: 1000 }));
      put(book, "task", { demand: demandOf(spec({ containerDefinitions: [container] })) });
      assert.equal(book.remaining("only")?.memoryMiB, 1000 - taken);
    }
  });

  it("is the task's own cpu and memory where they are set, else the sum over containers", () => {
    const containerDefinitions = [
      { name: "a", image: "a", cpu: 100, memory: 64 },
      { name: "b", image: "b", cpu: 28, memory: 128, memoryReservation: 32 },
    ];
    const summed = demandOf(spec({ containerDefinitions }));
    assert.deepEqual([summed.cpuUnits, summed.memoryMiB], [128, 96]);
    const own = demandOf(spec({ containerDefinitions, cpu: "512", memory: "1024" }));
    assert.deepEqual([own.cpuUnits, own.memoryMiB], [512, 1024]);
  });

  it("follows overrides, of the task and of a container", () => {
    const containerDefinitions = [{ name: "a", image: "a", cpu: 100, memory: 64 }];
    const overrides = { containerOverrides: [{ name: "a", cpu: 50, command: ["x"] }] };
    const changed = demandOf(spec({ containerDefinitions }), overrides);
    assert.deepEqual([changed.cpuUnits, changed.memoryMiB], [50, 64]);
    assert.equal(demandOf(spec({ containerDefinitions, cpu: "512" }), { cpu: "256" }).cpuUnits, 256);
  });

  it("names static host ports: all in host mode, those given in bridge mode, none in awsvpc", () => {
    const portMappings = [
      { containerPort: 80 },
      { containerPort: 81, hostPort: 0 },
      { containerPort: 53, hostPort: 53, protocol: "udp" as const },
    ];
    const containerDefinitions = [{ name: "a", image: "a", portMappings }];
    const portsIn = (networkMode?: TaskDefinitionRevisionSpec["networkMode"]) =>
      demandOf(spec({ containerDefinitions, ...(networkMode ? { networkMode } : {}) })).staticPorts;
    const dns = { port: 53, protocol: "udp" };
    assert.deepEqual(portsIn(), [dns]);
    assert.deepEqual(portsIn("bridge"), [dns]);
    assert.deepEqual(portsIn("host"), [tcp(80), tcp(81), dns]);
    assert.deepEqual(portsIn("awsvpc"), []);
  });

  it("has equal keys for equal demands only", () => {
    assert.equal(
      demand({ cpuUnits: 1, staticPorts: [tcp(1), tcp(2)] }).key,
      demand({ cpuUnits: 1, staticPorts: [tcp(2), tcp(1)] }).key,
    );
    assert.notEqual(demand({ cpuUnits: 1 }).key, demand({ memoryMiB: 1 }).key);
  });
});

describe("the book", () => {
  it("takes and gives back what a task holds, once, however often it is told", () => {
    const book = bookOf(machine("a"));
    const held = demand({ cpuUnits: 100, memoryMiB: 200, staticPorts: [tcp(80)] });
    for (let i = 0; i < 2; i++) book.reserve("t", "a", held, "g");
    assert.deepEqual(
      remainingResources(book, "a")?.map((resource) => resource.integerValue ?? resource.stringSetValue),
      [1948, 1848, ["22", "80", "2375", "2376", "51678", "51679", "51680"], []],
    );
    assert.deepEqual([book.release("t"), book.release("t")], [true, false]);
    assert.deepEqual([book.remaining("a")?.cpuUnits, book.remaining("a")?.memoryMiB], [2048, 2048]);
    assert.equal(book.remaining("a")?.reservedPorts.length, 6);
    assert.equal(book.countOn("g", "a"), 0);
  });

  it("takes tasks before it knows their machine, and keeps them when the machine goes and comes", () => {
    const book = createBook();
    book.reserve("t", "late", demand({ cpuUnits: 100 }), "g");
    assert.equal(book.instance("late"), undefined);
    assert.deepEqual([...book.instances()], []);
    book.setInstance(machine("late", { zone: "z" }));
    assert.equal(book.remaining("late")?.cpuUnits, 1948);
    assert.equal(book.countInZone("g", "z"), 1);
    book.removeInstance("late");
    assert.equal(book.remaining("late"), undefined);
    assert.equal(put(book, "other"), undefined);
    book.setInstance(machine("late", { zone: "y", cpuUnits: 4096 }));
    assert.equal(book.remaining("late")?.cpuUnits, 3996);
    assert.deepEqual([book.countInZone("g", "z"), book.countInZone("g", "y")], [0, 1]);
    book.removeInstance("late");
    book.release("t");
    book.setInstance(machine("late"));
    assert.equal(book.remaining("late")?.cpuUnits, 2048);
  });

  it("records what is bound even where it does not fit", () => {
    const book = bookOf(machine("a", { cpuUnits: 100 }));
    for (const uid of ["1", "2"]) book.reserve(uid, "a", demand({ cpuUnits: 80, staticPorts: [tcp(80)] }), "g");
    assert.equal(book.remaining("a")?.cpuUnits, -60);
    book.release("1");
    assert.ok(book.remaining("a")?.reservedPorts.some(({ port }) => port === 80));
  });

  it("reads a registered machine", () => {
    const info = instanceInfo({
      apiVersion: "davit.dev/v1",
      kind: "ContainerInstance",
      metadata: {
        name: "m1",
        namespace: "default",
        uid: "u",
        resourceVersion: "1",
        generation: 1,
        creationTimestamp: "",
      },
      spec: { status: "DRAINING" },
      status: {
        status: "ACTIVE",
        agentConnected: true,
        attributes: [{ name: "ecs.availability-zone", value: "z1" }],
        registeredResources: [
          { name: "CPU", type: "INTEGER", integerValue: 2048 },
          { name: "MEMORY", type: "INTEGER", integerValue: 3000 },
          { name: "PORTS", type: "STRINGSET", stringSetValue: ["22"] },
          { name: "PORTS_UDP", type: "STRINGSET", stringSetValue: ["53"] },
        ],
      },
    });
    assert.deepEqual(info, {
      name: "m1",
      zone: "z1",
      cpuUnits: 2048,
      memoryMiB: 3000,
      reservedPorts: [tcp(22), { port: 53, protocol: "udp" }],
      status: "DRAINING",
      agentConnected: true,
      attributes: [{ name: "ecs.availability-zone", value: "z1" }],
    });
  });
});

describe("which tasks to stop (spec/06 §9.3)", () => {
  const orderOf = (where: Readonly<Record<string, string>>, group = "service:web"): string[] => {
    const zones = [...new Set(Object.values(where))];
    const book = bookOf(...zones.map((name) => machine(name, { zone: name.slice(0, 1) })));
    for (const [uid, instance] of Object.entries(where)) book.reserve(uid, instance, small, group);
    return stopOrder(
      book,
      group,
      Object.keys(where).map((uid) => ({ uid, name: uid })),
    );
  };

  it("[06-39] zones A=1 B=2 C=2: a task in B or C stops, on the instance with most service tasks", () => {
    const [first] = orderOf({ 1: "a1", 2: "b1", 3: "b1", 4: "c1", 5: "c2" });
    assert.ok(first && ["2", "3", "4", "5"].includes(first));
    assert.ok(["2", "3", "4"].includes(orderOf({ 1: "b1", 2: "b2", 3: "b2", 4: "b2", 5: "a1" })[0] ?? ""));
  });

  it("zone a: i1=2 i2=1, zone b: i3=1: the next stop is on i1", () => {
    assert.ok(["1", "2"].includes(orderOf({ 1: "a1", 2: "a1", 3: "a2", 4: "b3" })[0] ?? ""));
  });

  it("counts anew after each: what stays is balanced however many stop", () => {
    const order = orderOf({ 1: "a1", 2: "a1", 3: "a1", 4: "a1", 5: "b1", 6: "b1" });
    assert.deepEqual(order.slice(0, 2), ["1", "2"]);
    assert.deepEqual(new Set(order.slice(2, 4).map((uid) => (Number(uid) < 5 ? "a" : "b"))), new Set(["a", "b"]));
  });

  it("puts tasks on no machine first, and gives as many as are asked for", () => {
    const book = bookOf(machine("a"));
    book.reserve("1", "a", small, "g");
    const tasks = [
      { uid: "1", name: "bound" },
      { uid: "2", name: "waits" },
    ];
    for (const most of [0, 1, 2, 3])
      assert.deepEqual(stopOrder(book, "g", tasks, most), ["waits", "bound"].slice(0, most));
  });
});
