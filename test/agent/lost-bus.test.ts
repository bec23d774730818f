// The time without the control plane over a real connection that goes dead without a word, as by a pulled cable.
import assert from "node:assert/strict";
import { createServer, connect as dial, type Socket } from "node:net";
import { type Agent, createAgent } from "../../agent/agent.js";
import { createSimulatedRuntime, type SimulatedRuntime } from "../../agent/runtimes/simulated/simulated.js";
import { type ControlPlane, startControlPlane } from "../../bench/support/control-plane.js";
import { createAgentBus } from "../../bus/agent.js";
import { type BusConnection, connectBus } from "../../bus/connect.js";
import { LOSS_NOTICED_WITHIN_MS } from "../../bus/liveness.js";
import { inboxPrefix } from "../../bus/subjects.js";
import { eventually } from "../support/wait.js";
import { hex, quiet } from "./support/builders.js";

const LIMIT_SECONDS = 7;

/** A wire that can be cut: both ends stay open, and hear nothing. */
async function wire(target: URL) {
  const sockets = new Set<Socket>();
  let cut = false;
  const server = createServer((near) => {
    const far = dial(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => {
        if (!cut) to.write(data);
      });
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    url: `nats://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    cut: () => {
      cut = true;
    },
    /** What was connected is lost, as a peer that has forgotten the connection would say. */
    mend() {
      cut = false;
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("agent whose connection goes dead", function () {
  this.timeout(60_000);
  let plane: ControlPlane;
  let line: Awaited<ReturnType<typeof wire>>;
  let connection: BusConnection;
  let runtime: SimulatedRuntime;
  let agent: Agent;
  before(async () => {
    plane = await startControlPlane();
    line = await wire(new URL(plane.natsUrl));
    const instance = hex("cut off");
    connection = connectBus({
      servers: line.url,
      credentials: { text: await plane.fleetCredentials() },
      name: "cut off",
      inboxPrefix: inboxPrefix("fleet"),
      log: quiet,
    });
    runtime = createSimulatedRuntime({ random: Math.random, now: Date.now });
    const bus = createAgentBus({ connection, instance, log: quiet });
    agent = createAgent({
      ...{ instance, namespace: "default", cluster: "default", bus, runtime, log: quiet },
      options: { cleanupWaitMs: 0 },
      now: Date.now,
      uptimeMs: () => performance.now(),
      random: Math.random,
    });
    await agent.start();
  });
  after(async () => {
    await agent?.stop();
    await connection?.close();
    await runtime?.close();
    await line?.close();
    await plane?.stop();
  });

  it("stops what is to stop no later than its time after the cut, keeps the rest, and says why when it is back", async () => {
    const { client } = plane;
    const meta = (name: string) => ({ namespace: "default", name });
    const made = { apiVersion: "davit.dev/v1" as const };
    await client.create("TaskDefinition", {
      ...{ ...made, kind: "TaskDefinition", metadata: meta("app") },
      spec: { containerDefinitions: [{ name: "web", image: "busybox", memory: 8 }] },
    });
    for (const [name, action] of [
      ["bound", "STOP"],
      ["free", "KEEP"],
    ] as const)
      await client.create("Service", {
        ...{ ...made, kind: "Service", metadata: meta(name) },
        spec: { taskDefinition: "app", desiredCount: 1, lostInstances: { action, afterSeconds: LIMIT_SECONDS } },
      });
    const tasks = async () => (await client.list("Task", { namespace: "default" })).items;
    await eventually(
      "both run",
      async () => (await tasks()).filter(({ status }) => status?.lastStatus === "RUNNING").length === 2,
    );
    const live = () => [...runtime.containers.values()].filter(({ lastStatus }) => lastStatus === "RUNNING").length;
    assert.equal(live(), 2);

    line.cut();
    const cutMs = performance.now();
    await eventually("one is stopped", () => live() === 1, 2 * LIMIT_SECONDS * 1_000);
    const tookMs = performance.now() - cutMs;
    console.log(`      stopped ${Math.round(tookMs)} ms after the cut, limit ${LIMIT_SECONDS * 1_000} ms`);
    // The agent looks once a second.
    assert.ok(tookMs <= LIMIT_SECONDS * 1_000 + 1_500, `${tookMs} ms`);
    assert.ok(tookMs >= LIMIT_SECONDS * 1_000 - LOSS_NOTICED_WITHIN_MS - 500, `${tookMs} ms`);
    line.mend();
    const stopped = await eventually("told", async () =>
      (await tasks()).find(({ status }) => status?.lastStatus === "STOPPED"),
    );
    assert.equal(stopped.spec.group, "service:bound");
    assert.equal(
      stopped.status?.stoppedReason,
      `Stopped by its agent after ${LIMIT_SECONDS} s without the control plane (lostInstances: STOP)`,
    );
    await eventually("the service has another", () => live() === 2);
  });
});
