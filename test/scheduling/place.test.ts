import assert from "node:assert/strict";
import { demand, demandOf } from "../../scheduling/demand.js";
import { ask, bookOf, DEFAULT_RESERVED, machine, put, small, tcp } from "./cluster.js";

/** `where: count` tasks of the service on a machine. */
function fill(book: ReturnType<typeof bookOf>, where: Readonly<Record<string, number>>, group = "service:web"): void {
  for (const [instance, count] of Object.entries(where))
    for (let i = 0; i < count; i++) book.reserve(`${group}-${instance}-${i}`, instance, small, group);
}

describe("placement: what fits", () => {
  it("takes no machine that lacks cpu, memory or a port, is not ACTIVE, or whose agent is away", () => {
    const book = bookOf(
      machine("no-cpu", { cpuUnits: 9 }),
      machine("no-memory", { memoryMiB: 9 }),
      machine("no-port", { reservedPorts: [tcp(8080)] }),
      machine("draining", { status: "DRAINING" }),
      machine("gone", { agentConnected: false }),
      machine("good"),
    );
    const wanted = demand({ cpuUnits: 10, memoryMiB: 10, staticPorts: [tcp(8080)] });
    assert.equal(put(book, "a", { demand: wanted }), "good");
    assert.equal(put(book, "b", { demand: wanted }), undefined);
  });

  it("[06-2] never chooses an instance that lacks CPU, memory or a free port", () => {
    for (let round = 0; round < 50; round++) {
      const book = bookOf(machine("full", { memoryMiB: 100 }), machine("busy"), machine("free"));
      book.reserve("big", "full", demand({ memoryMiB: 95 }), "other");
      book.reserve("port", "busy", demand({ staticPorts: [tcp(80)] }), "other");
      const wanted = demand({ cpuUnits: 10, memoryMiB: 10, staticPorts: [tcp(80)] });
      for (const kind of ["service", "standalone"] as const)
        assert.deepEqual(ask(book, { demand: wanted, kind, seed: `${round}` }), { instance: "free" });
    }
  });

  it("[02-8] places no second copy of a host-mode task with ports on the only instance", () => {
    const book = bookOf(machine("only"));
    const wanted = demandOf({
      family: "web",
      revision: 1,
      contentHash: "",
      networkMode: "host",
      containerDefinitions: [{ name: "web", image: "web", memory: 10, portMappings: [{ containerPort: 80 }] }],
    });
    assert.equal(put(book, "first", { demand: wanted }), "only");
    assert.equal(put(book, "second", { demand: wanted }), undefined);
  });

  it("[02-10] places no task with static host port 22 where the default ports are reserved", () => {
    const wanted = demand({ staticPorts: [tcp(22)] });
    assert.equal(put(bookOf(machine("only")), "a", { demand: wanted }), undefined);
    assert.equal(put(bookOf(machine("only", { reservedPorts: [] })), "a", { demand: wanted }), "only");
  });

  it("[02-11] keeps static port 8081 for the task that has it, and frees it when that stops", () => {
    const book = bookOf(machine("only"));
    const wanted = demand({ staticPorts: [tcp(8081)] });
    assert.equal(put(book, "first", { demand: wanted }), "only");
    assert.equal(put(book, "second", { demand: wanted }), undefined);
    book.release("first");
    assert.equal(put(book, "second", { demand: wanted }), "only");
  });

  it("[02-12] with 100 reserved ports places no static port, but still a dynamic one", () => {
    const book = bookOf(machine("only"));
    for (let i = 0; i < 100 - DEFAULT_RESERVED.length; i++)
      assert.equal(put(book, `${i}`, { demand: demand({ staticPorts: [tcp(8000 + i)] }) }), "only");
    assert.equal(put(book, "static", { demand: demand({ staticPorts: [tcp(9000)] }) }), undefined);
    assert.equal(put(book, "dynamic", { demand: demand({}) }), "only");
  });

  it("the same port number is free on the other protocol", () => {
    const book = bookOf(machine("only"));
    assert.equal(put(book, "a", { demand: demand({ staticPorts: [tcp(53)] }) }), "only");
    assert.equal(put(book, "b", { demand: demand({ staticPorts: [{ port: 53, protocol: "udp" }] }) }), "only");
  });

  it("needs every attribute that the demand names", () => {
    const book = bookOf(machine("a"), machine("b", { attributes: [{ name: "gpu" }] }));
    assert.equal(put(book, "1", { demand: demand({ attributes: ["gpu"] }) }), "b");
    assert.equal(put(book, "2", { demand: demand({ attributes: ["fpga"] }) }), undefined);
  });

  it("[06-12] with distinctInstance and three instances, three of four tasks run", () => {
    const book = bookOf(machine("a"), machine("b"), machine("c"));
    for (const kind of ["service", "standalone"] as const) {
      const more = { kind, group: kind, constraints: [{ type: "distinctInstance" as const }] };
      const places = ["1", "2", "3", "4"].map((uid) => put(book, kind + uid, more));
      assert.deepEqual(places.slice(0, 3).sort(), ["a", "b", "c"]);
      assert.equal(places[3], undefined);
    }
  });

  it("finds a machine again after it was full, drained, or away", () => {
    const book = bookOf(machine("only", { cpuUnits: 10 }));
    assert.equal(put(book, "a"), "only");
    assert.equal(put(book, "b"), undefined);
    book.release("a");
    assert.equal(put(book, "b"), "only");
    book.release("b");
    for (const change of [{ status: "DRAINING" }, { agentConnected: false }]) {
      book.setInstance(machine("only", { cpuUnits: 10, ...change }));
      assert.equal(put(book, "c"), undefined);
      book.setInstance(machine("only", { cpuUnits: 10 }));
      assert.equal(put(book, "c"), "only");
      book.release("c");
    }
  });
});

describe("placement: the balance of a service (spec/06 §9.3)", () => {
  it("[06-38] zones A=1 B=0 C=0: the next task goes to B or C, to the instance with fewest service tasks", () => {
    const zones = [
      machine("a1", { zone: "A" }),
      machine("b1", { zone: "B" }),
      machine("b2", { zone: "B" }),
      machine("c1", { zone: "C" }),
    ];
    const book = bookOf(...zones);
    fill(book, { a1: 1 });
    const first = put(book, "next");
    assert.ok(first && ["b1", "b2", "c1"].includes(first), first);

    const uneven = bookOf(...zones);
    fill(uneven, { a1: 3, b1: 2, c1: 3 });
    assert.equal(put(uneven, "next"), "b2");
  });

  it("zone a: i1=2 i2=1, zone b: i3=1, zone c: i4=0: the next start is on i4", () => {
    const book = bookOf(
      machine("i1", { zone: "a" }),
      machine("i2", { zone: "a" }),
      machine("i3", { zone: "b" }),
      machine("i4", { zone: "c" }),
    );
    fill(book, { i1: 2, i2: 1, i3: 1 });
    assert.equal(put(book, "next"), "i4");
  });

  it("[06-6] six tasks over three equal zones are two in each", () => {
    const book = bookOf(
      ...["z1", "z2", "z3"].flatMap((zone) => [machine(`${zone}-1`, { zone }), machine(`${zone}-2`, { zone })]),
    );
    const strategy = [{ type: "spread" as const, field: "attribute:ecs.availability-zone" }];
    for (let i = 0; i < 6; i++) assert.ok(put(book, `${i}`, { strategy }));
    for (const zone of ["z1", "z2", "z3"]) assert.equal(book.countInZone("service:web", zone), 2);
  });

  it("goes to the next best zone when the best has no room", () => {
    const book = bookOf(machine("a", { zone: "a" }), machine("b", { zone: "b", cpuUnits: 5 }));
    fill(book, { a: 3 });
    assert.equal(put(book, "next"), "a");
  });

  it("counts only the tasks of its own group", () => {
    const book = bookOf(machine("a", { zone: "a" }), machine("b", { zone: "b" }));
    fill(book, { b: 5 }, "service:other");
    fill(book, { a: 1 });
    assert.equal(put(book, "next"), "b");
  });

  it("[06-7] spread on host gives the same as spread on instanceId", () => {
    const results = ["host", "instanceId"].map((field) => {
      const book = bookOf(machine("a", { zone: "x" }), machine("b", { zone: "x" }), machine("c", { zone: "y" }));
      return Array.from({ length: 9 }, (_, i) => put(book, `${i}`, { strategy: [{ type: "spread", field }] }));
    });
    assert.deepEqual(results[0], results[1]);
    for (const name of ["a", "b", "c"]) assert.equal(results[0]?.filter((place) => place === name).length, 3);
  });

  it("stays even over many machines, full ones left out, whatever comes and goes", () => {
    const book = bookOf(
      ...Array.from({ length: 40 }, (_, i) => machine(`i${i}`, { zone: `z${i % 2}`, cpuUnits: i < 4 ? 10 : 2048 })),
    );
    for (let i = 0; i < 400; i++) assert.ok(put(book, `t${i}`));
    for (let i = 0; i < 400; i += 3) book.release(`t${i}`);
    for (let i = 0; i < 400; i += 3) assert.ok(put(book, `u${i}`));
    const counts = Array.from({ length: 36 }, (_, i) => book.countOn("service:web", `i${i + 4}`));
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join(" "));
    assert.equal(book.countInZone("service:web", "z0"), 200);
  });

  it("many small services do not meet on one machine", () => {
    const book = bookOf(...Array.from({ length: 20 }, (_, i) => machine(`i${i}`)));
    for (let i = 0; i < 100; i++) put(book, `t${i}`, { group: `service:s${i}` });
    const counts = Array.from({ length: 20 }, (_, i) => book.tasksOn(`i${i}`).length);
    assert.ok(Math.max(...counts) <= 10, counts.join(" "));
  });
});

describe("placement: other strategies", () => {
  it("[06-1] without a strategy RunTask's tasks go to eligible instances at random", () => {
    const book = bookOf(machine("a"), machine("b"), machine("c"), machine("full", { cpuUnits: 1 }));
    for (let i = 0; i < 300; i++) put(book, `${i}`, { kind: "standalone", demand: demand({ cpuUnits: 2 }) });
    for (const name of ["a", "b", "c"]) {
      const count = book.tasksOn(name).length;
      assert.ok(count > 60 && count < 140, `${name}: ${count}`);
    }
    assert.equal(book.tasksOn("full").length, 0);
  });

  it("the same question to the same book has the same answer", () => {
    const answers = [1, 2].map(() => {
      const book = bookOf(...Array.from({ length: 30 }, (_, i) => machine(`i${i}`)));
      return Array.from({ length: 30 }, (_, i) => put(book, `${i}`, { kind: i % 2 ? "service" : "standalone" }));
    });
    assert.deepEqual(answers[0], answers[1]);
  });

  it("[06-5] binpack on memory or cpu uses the fitting instance with least remaining", () => {
    for (const [field, chosen] of [
      ["memory", "little-memory"],
      ["cpu", "little-cpu"],
    ] as const) {
      const book = bookOf(
        machine("much"),
        machine("little-memory", { memoryMiB: 20 }),
        machine("little-cpu", { cpuUnits: 20 }),
        machine("too-little", { memoryMiB: 5, cpuUnits: 5 }),
      );
      assert.equal(put(book, "1", { strategy: [{ type: "binpack", field }] }), chosen);
    }
  });

  it("[06-8] spread by zone, then binpack: zone balance first, packing only inside a zone", () => {
    const book = bookOf(
      machine("a-large", { zone: "a" }),
      machine("a-small", { zone: "a", memoryMiB: 100 }),
      machine("b-large", { zone: "b" }),
    );
    const strategy = [
      { type: "spread" as const, field: "attribute:ecs.availability-zone" },
      { type: "binpack" as const, field: "memory" },
    ];
    fill(book, { "b-large": 1 });
    assert.equal(put(book, "1", { strategy }), "a-small");
    fill(book, { "a-large": 1 });
    assert.equal(put(book, "2", { strategy }), "b-large");
  });

  it("[06-9] two groups of standalone tasks are each balanced on their own", () => {
    const book = bookOf(machine("a", { zone: "a" }), machine("b", { zone: "b" }));
    const strategy = [{ type: "spread" as const, field: "attribute:ecs.availability-zone" }];
    fill(book, { a: 4 }, "family:one");
    fill(book, { b: 4 }, "family:two");
    assert.equal(put(book, "1", { kind: "standalone", strategy, group: "family:one" }), "b");
    assert.equal(put(book, "2", { kind: "standalone", strategy, group: "family:two" }), "a");
  });

  it("[06-4] a task is placed elsewhere when its strategy's best choice has no room", () => {
    const book = bookOf(machine("a", { zone: "a", cpuUnits: 5 }), machine("b", { zone: "b" }));
    fill(book, { b: 2 });
    assert.equal(put(book, "1", { strategy: [{ type: "spread", field: "attribute:ecs.availability-zone" }] }), "b");
  });
});
