import assert from "node:assert/strict";
import fc from "fast-check";
import { createAgentBus } from "../../bus/agent.js";
import type { BusConnection } from "../../bus/connect.js";
import { createControlBus } from "../../bus/control.js";
import type { AssignmentPush, LogsChunk, ReportBatch, SyncAnswer, SyncRequest } from "../../bus/messages.js";
import type { AgentBus, ControlBus } from "../../bus/transport.js";
import { eventually } from "../support/wait.js";
import { id, startTestBus, syncRequest, type TestBus, taskReport } from "./support.js";

const answer = (more: Partial<SyncAnswer> = {}): SyncAnswer => ({
  type: "davit.v1.SyncAnswer",
  epoch: 1,
  seq: 0,
  assignments: [],
  revisions: {},
  heartbeatMs: 5000,
  ...more,
});
const push = (seq: number): AssignmentPush => ({
  type: "davit.v1.AssignmentPush",
  epoch: 1,
  seq,
  assignments: [],
  revisions: {},
  forget: [],
});

describe("control bus and agent bus", () => {
  let bus: TestBus;
  let control: ControlBus;
  let connection: BusConnection;
  let agent: AgentBus;
  let agentConnection: BusConnection;
  const one = id(1);
  const heard: { syncs: SyncRequest[]; reports: ReportBatch[]; heartbeats: string[]; goodbyes: string[] } = {
    syncs: [],
    reports: [],
    heartbeats: [],
    goodbyes: [],
  };

  before(async () => {
    bus = await startTestBus("control-agent");
    connection = bus.connect(await bus.nats.authority.control(), "control");
    control = createControlBus({ connection, log: bus.log });
    control.serve({
      sync: async (request) => {
        heard.syncs.push(request);
        if (request.hostname === "fails") throw new Error("no room");
        return answer({ epoch: heard.syncs.length });
      },
      report: async (batch) => {
        heard.reports.push(batch);
        return { type: "davit.v1.ReportAnswer", ok: true, unknown: batch.reports.map((report) => report.task) };
      },
      heartbeat: (message) => void heard.heartbeats.push(message.instance),
      goodbye: (message) => void heard.goodbyes.push(message.kind),
    });
    agentConnection = bus.connect(await bus.nats.authority.agent(one), one);
    agent = createAgentBus({ connection: agentConnection, instance: one, log: bus.log });
    await connection.whenConnected(5000);
    await agentConnection.whenConnected(5000);
  });
  after(() => bus.close());

  it("answers a sync and a report", async () => {
    const synced = await agent.sync(syncRequest(one, { tasks: [taskReport(id(7))] }), 5000);
    assert.equal(synced.epoch, heard.syncs.length);
    assert.deepEqual(heard.syncs.at(-1), syncRequest(one, { tasks: [taskReport(id(7))] }));
    const batch: ReportBatch = {
      type: "davit.v1.ReportBatch",
      instance: one,
      epoch: 1,
      reports: [taskReport(id(7)), taskReport(id(8), { state: "STOPPED", stopCode: "EssentialContainerExited" })],
    };
    assert.deepEqual((await agent.report(batch, 5000)).unknown, [id(7), id(8)]);
    assert.deepEqual(heard.reports.at(-1), batch);
  });

  it("hears heartbeats and goodbyes", async () => {
    agent.heartbeat({ type: "davit.v1.Heartbeat", instance: one, epoch: 1 });
    agent.goodbye({ type: "davit.v1.Goodbye", instance: one, epoch: 1, kind: "leave" });
    await eventually("both arrive", () => heard.heartbeats.length === 1 && heard.goodbyes[0] === "leave");
  });

  it("leaves a request unanswered when the handler throws, and the agent's request ends in time", async () => {
    await assert.rejects(agent.sync(syncRequest(one, { hostname: "fails" }), 300), /no answer within/);
  });

  it("pushes in order, and says superseded", async () => {
    const pushes: number[] = [];
    const epochs: number[] = [];
    const end = createAgentBus({ connection: agentConnection, instance: one, log: bus.log });
    end.serve({
      push: (message) => void pushes.push(message.seq),
      superseded: (epoch) => void epochs.push(epoch),
      logs: async function* () {},
      probe: () => Promise.reject(new Error("not asked for")),
    });
    await agentConnection.client()?.flush();
    for (let seq = 1; seq <= 100; seq++) control.push(one, push(seq));
    control.supersede(one, 9);
    await eventually("all have come", () => epochs.length === 1);
    assert.deepEqual(
      pushes,
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    await end.close();
  });

  it("carries many instances over one connection", async () => {
    const shared = bus.connect(await bus.nats.authority.fleet(), "fleet");
    const ids = Array.from({ length: 50 }, (_, index) => id(100 + index));
    const got = new Map<string, number>();
    const fleet = ids.map((instance) => createAgentBus({ connection: shared, instance, log: bus.log }));
    for (const [index, end] of fleet.entries())
      end.serve({
        push: (message) => void got.set(ids[index] ?? "", message.seq),
        superseded: () => {},
        logs: async function* () {},
        probe: () => Promise.reject(new Error("not asked for")),
      });
    const answers = await Promise.all(fleet.map((end, index) => end.sync(syncRequest(ids[index] ?? ""), 5000)));
    assert.equal(new Set(answers.map(({ epoch }) => epoch)).size, 50);
    for (const [index, instance] of ids.entries()) control.push(instance, push(index));
    await eventually("each has its own", () => got.size === 50 && ids.every((one, index) => got.get(one) === index));
  });

  it("asks again while the control plane is away, and takes its answer when it is back", async () => {
    const other = id(2);
    const lone = bus.connect(await bus.nats.authority.agent(other), other);
    const end = createAgentBus({ connection: lone, instance: other, log: bus.log });
    await control.close();
    const asked = end.sync(syncRequest(other), 10_000);
    await new Promise((resolve) => setTimeout(resolve, 400));
    control.serve({
      sync: async () => answer({ epoch: 77 }),
      report: async () => ({ type: "davit.v1.ReportAnswer", ok: true }),
      heartbeat: (message) => void heard.heartbeats.push(message.instance),
      goodbye: () => {},
    });
    assert.equal((await asked).epoch, 77);
  });

  it("drops a message whose instance is not its subject's", async () => {
    const before = heard.heartbeats.length;
    agent.heartbeat({ type: "davit.v1.Heartbeat", instance: id(5), epoch: 1 });
    await assert.rejects(agent.sync(syncRequest(id(5)), 300), /no answer within/);
    assert.equal(heard.heartbeats.length, before);
  });

  it("outlives any bytes on any of its subjects", async () => {
    const nasty = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .json()
        .map((text) =>
          Buffer.from(`{"type":"davit.v1.ReportBatch","instance":"${one}","epoch":1,"reports":[${text}]}`),
        ),
      fc.json().map((text) => Buffer.from(`{"type":"davit.v1.SyncRequest","instance":"${one}","tasks":${text}}`)),
    );
    const client = await agentConnection.whenConnected(5000);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("sync", "report", "heartbeat", "goodbye", "r.x", "nonsense"),
        nasty,
        async (verb, bytes) => {
          client.publish(`davit.v1.up.${one}.${verb}`, bytes, { reply: `_INBOX_${one}.g` });
        },
      ),
      { numRuns: 500 },
    );
    await client.flush();
    assert.equal((await agent.sync(syncRequest(one), 5000)).epoch, 77);
  });

  describe("streams of logs", () => {
    const request = { type: "davit.v1.LogsRequest", task: id(9), follow: true } as const;
    const chunk = (text: string): LogsChunk => ({
      type: "davit.v1.LogsChunk",
      lines: [{ container: "web", stream: "stdout", atMs: 1, text }],
    });
    const serveLogs = async (logs: (signal: AbortSignal) => AsyncIterable<LogsChunk>) => {
      const end = createAgentBus({ connection: agentConnection, instance: one, log: bus.log });
      end.serve({
        push: () => {},
        superseded: () => {},
        logs: (_request, signal) => logs(signal),
        probe: () => Promise.reject(new Error("not asked for")),
      });
      await agentConnection.client()?.flush();
      return end;
    };

    it("arrive whole and in order", async () => {
      const end = await serveLogs(async function* () {
        for (let n = 0; n < 500; n++) yield chunk(`line ${n}`);
      });
      const lines: string[] = [];
      for await (const { lines: some } of control.logs(one, request, new AbortController().signal))
        lines.push(...some.map(({ text }) => text));
      assert.equal(lines.length, 500);
      assert.equal(lines.at(-1), "line 499");
      await end.close();
    });

    it("wait for a slow reader", async () => {
      let made = 0;
      const end = await serveLogs(async function* () {
        for (; made < 10_000; made++) yield chunk("x");
      });
      const abort = new AbortController();
      let taken = 0;
      for await (const _ of control.logs(one, request, abort.signal)) {
        taken += 1;
        if (taken === 20) break;
      }
      assert.ok(made <= 20 + 64 + 1, `${made} were made for 20 taken`);
      await end.close();
    });

    it("end at the agent when the reader goes", async () => {
      let ended = false;
      const end = await serveLogs(async function* (signal) {
        yield chunk("first");
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        ended = true;
      });
      const abort = new AbortController();
      for await (const _ of control.logs(one, request, abort.signal)) abort.abort();
      await eventually("the agent's side has ended", () => ended);
      await end.close();
    });

    it("carry the agent's error to the reader", async () => {
      // biome-ignore lint/correctness/useYield: it fails first
      const end = await serveLogs(async function* () {
        throw new Error("no such task");
      });
      await assert.rejects(async () => {
        for await (const _ of control.logs(one, request, new AbortController().signal));
      }, /no such task/);
      await end.close();
    });
  });
});
