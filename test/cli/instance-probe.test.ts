// The path by which people see what a machine is like just now.
import assert from "node:assert/strict";
import type { ProbeAnswer } from "../../bus/messages.js";
import { instanceProbe } from "../../cli/instance-probe.js";
import { startServer, type TestServer } from "../apiserver/support/server.js";

const PROBE = "/apis/davit.dev/v1/namespaces/default/containerinstances/one/probe";
const ANSWER: ProbeAnswer = {
  type: "davit.v1.ProbeAnswer",
  agentVersion: "0.1.0",
  nowMs: 1_700_000_000_000,
  usage: [{ task: "a".repeat(32), cpuUnits: 12.5, memoryMiB: 3 }],
  orphans: [],
  problems: [],
};

describe("containerinstances/probe", () => {
  let server: TestServer;
  let asked: [instance: string, timeoutMs: number][];
  let probe: () => Promise<ProbeAnswer>;
  before(async () => {
    const bus = {
      probe: (instance: string, timeoutMs: number) => {
        asked.push([instance, timeoutMs]);
        return probe();
      },
    };
    server = await startServer("probe", {
      connect: { "containerinstances/probe": (request) => instanceProbe({ client: server.api.client, bus })(request) },
    });
    await server.api.client.create("ContainerInstance", {
      apiVersion: "davit.dev/v1",
      kind: "ContainerInstance",
      metadata: { name: "one", namespace: "default" },
      spec: {},
    });
  });
  after(() => server.close());
  beforeEach(() => {
    asked = [];
    probe = async () => ANSWER;
  });
  afterEach(() => assert.deepEqual(server.errors, []));

  it("gives a viewer what the agent says, and the agent the time that was asked for", async () => {
    const answer = await server.call("GET", PROBE, undefined, { Authorization: "Bearer viewer-token" });
    assert.deepEqual([answer.code, answer.body], [200, ANSWER]);
    assert.equal((await server.call("GET", `${PROBE}?timeoutSeconds=0.5`)).code, 200);
    assert.deepEqual(asked, [
      ["one", 5_000],
      ["one", 500],
    ]);
  });

  it("says 504 and why when the agent gives no answer", async () => {
    probe = async () => {
      throw new Error("one: no answer within 5000 ms");
    };
    const { code, body } = await server.call("GET", PROBE);
    assert.deepEqual(
      [code, body.kind, body.reason, body.message],
      [504, "Status", "Timeout", "the agent of one gives no answer: one: no answer within 5000 ms"],
    );
  });

  it("asks nobody for a machine that there is not, in another way than GET, or with a time that is none", async () => {
    assert.equal((await server.call("GET", PROBE.replace("one", "two"))).code, 404);
    assert.equal((await server.call("POST", PROBE, {})).code, 405);
    for (const wrong of ["", "0", "-1", "31", "soon"])
      assert.equal((await server.call("GET", `${PROBE}?timeoutSeconds=${wrong}`)).code, 400, wrong);
    assert.deepEqual(asked, []);
  });
});
