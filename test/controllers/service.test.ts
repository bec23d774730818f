import assert from "node:assert/strict";
import { type House, openHouse } from "./support/house.js";

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
    const { status } = await house.steady("web");
    assert.deepEqual([status?.runningCount, status?.pendingCount, status?.healthyCount], [10, 0, 10]);
    const messages = status?.events?.map(({ message }) => message) ?? [];
    assert.match(messages.join("\n"), /^\(service web\) has reached a steady state\.$/m);
    assert.match(messages.join("\n"), /^\(service web\) has started \d+ tasks: (\(task [0-9a-f]{32}\) ?)+\.$/m);
    const perMachine = new Map<string, number>();
    for (const { spec } of await house.running()) {
      const name = spec.containerInstance ?? "";
      perMachine.set(name, (perMachine.get(name) ?? 0) + 1);
    }
    assert.deepEqual([...perMachine.values()], [5, 5]);
  });
});
