import assert from "node:assert/strict";
import type { ContainerInstance } from "../../../api/types.gen.js";
import { probeAll } from "../../../cli/api/probes.js";
import type { Call } from "../../../client/http-transport.js";
import { apiError } from "../../../client/object-client.js";

const machine = (name: string, agentConnected = true): ContainerInstance => ({
  apiVersion: "davit.dev/v1",
  kind: "ContainerInstance",
  metadata: { name, namespace: "default", uid: name, resourceVersion: "1", generation: 1, creationTimestamp: "" },
  spec: {},
  status: { status: "ACTIVE", agentConnected },
});
const many = (count: number) => Array.from({ length: count }, (_, i) => machine(`m${i}`));

describe("asking machines what they are like", () => {
  it("asks so many at a time and no more, each once", async () => {
    let now = 0;
    let most = 0;
    const asked: string[] = [];
    const call = async (path: string): Promise<unknown> => {
      asked.push(path);
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return { type: "davit.v1.ProbeAnswer" };
    };
    const probes = await probeAll({ call }, many(100), { now: Date.now, atOnce: 8 });
    assert.equal(probes.size, 100);
    assert.equal(new Set(asked).size, 100);
    assert.equal(most, 8);
    assert.ok(probes.get("default/m7")?.answer);
    assert.ok(asked.includes("/apis/davit.dev/v1/namespaces/default/containerinstances/m7/probe"));
  });

  it("says of each that gives no answer why, and does not wait for one that is known to be away", async () => {
    const asked: string[] = [];
    const call = async (path: string): Promise<unknown> => {
      asked.push(path);
      throw apiError(504, "Timeout", "the agent of m0 gives no answer: no answer within 5000 ms");
    };
    const probes = await probeAll({ call }, [machine("m0"), machine("away", false)], { now: Date.now });
    assert.deepEqual([...probes.values()].map(({ silence }) => silence).sort(), [
      "its agent is not connected",
      "the agent of m0 gives no answer: no answer within 5000 ms",
    ]);
    assert.equal(asked.length, 1);
  });

  it("ends at its deadline, whoever has answered by then", async () => {
    const call = (_: string, { signal }: Call = {}): Promise<unknown> =>
      new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    const probes = await probeAll({ call }, many(5), { now: Date.now, atOnce: 2, deadlineMs: 50 });
    const said = [...probes.values()].map(({ silence }) => silence);
    assert.deepEqual(said.filter((why) => why === "no answer within 0.05 s").length, 2);
    assert.deepEqual(said.filter((why) => why === "was not asked within 0.05 s").length, 3);
  });
});
