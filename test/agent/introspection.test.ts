import assert from "node:assert/strict";
import { createIntrospection, type Introspection } from "../../agent/introspection.js";
import { eventually } from "../support/wait.js";
import { assignment, container, hex, quiet, revision } from "./support/builders.js";
import { type Bench, bench } from "./support/machine.js";

describe("agent's introspection endpoint", () => {
  let here: Bench;
  let endpoint: Introspection;
  before(async () => {
    here = bench();
    await here.start();
    const { control } = here;
    control.revisions = { "default/shop:1": revision([container(), container({ name: "side" })]) };
    control.assign(assignment("one"), assignment("two"));
    await eventually("RUNNING", () => ["one", "two"].every((name) => control.state(hex(name)) === "RUNNING"));
    endpoint = await createIntrospection({ agent: here.agent(), port: 0, log: quiet });
  });
  after(async () => {
    await endpoint.close();
    await here.close();
  });
  const get = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`http://127.0.0.1:${endpoint.port}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const arnOf = (name: string) => assignment(name).taskArn;
  const taskOf = (name: string) => ({
    Arn: arnOf(name),
    DesiredStatus: "RUNNING",
    KnownStatus: "RUNNING",
    Family: "shop",
    Version: "1",
    Containers: [...here.runtime().containers.values()]
      .filter(({ task }) => task === hex(name))
      .map(({ id, runtimeName, name: Name }) => ({ DockerId: id, DockerName: runtimeName, Name })),
  });

  it("[04-46] [05-58] /v1/metadata: cluster, the machine's ARN, and the agent's version, no more", async () => {
    const { body } = await get("/v1/metadata");
    assert.deepEqual(body, {
      Cluster: "default",
      ContainerInstanceArn: `arn:aws:ecs:local:000000000000:container-instance/default/${hex("instance")}`,
      Version: "Davit Agent - v0.1.0",
    });
  });

  it("[04-48] the instance id is the ARN's last part", async () => {
    const { body } = await get("/v1/metadata");
    assert.equal(String(body.ContainerInstanceArn).split("/").at(-1), hex("instance"));
  });

  it("[05-59] /v1/tasks: all; by an id, also a short one, or by ARN: one, bare", async () => {
    assert.deepEqual((await get("/v1/tasks")).body, { Tasks: [taskOf("one"), taskOf("two")] });
    assert.deepEqual((await get(`/v1/tasks?taskarn=${encodeURIComponent(arnOf("two"))}`)).body, taskOf("two"));
    const id = taskOf("one").Containers[1]?.DockerId ?? "";
    for (const given of [id, id.slice(0, 16)])
      assert.deepEqual((await get(`/v1/tasks?dockerid=${given}`)).body, taskOf("one"), given);
  });

  it("what is not there is said to be, and GET / names what is", async () => {
    assert.equal((await get("/v1/tasks?taskarn=arn:none")).status, 404);
    assert.equal((await get("/v1/tasks?dockerid=")).status, 404);
    assert.equal((await get("/v2/metadata")).status, 404);
    assert.deepEqual((await get("/")).body, { AvailableCommands: ["/v1/metadata", "/v1/tasks"] });
    const post = await fetch(`http://127.0.0.1:${endpoint.port}/v1/tasks`, { method: "POST" });
    assert.equal(post.status, 405);
  });

  it("[04-47] before the first session there is no answer that would let a waiting program go on", async () => {
    const machine = bench();
    machine.control.refusal = { reason: "Busy", message: "in a moment", retryMs: 5 };
    const starting = machine.start();
    let early: Introspection | undefined;
    try {
      await eventually("refused", () => machine.agent().status().refused);
      early = await createIntrospection({ agent: machine.agent(), port: 0, log: quiet });
      const poll = () => fetch(`http://127.0.0.1:${early?.port}/v1/metadata`);
      assert.equal((await poll()).ok, false);
      machine.control.refusal = undefined;
      await starting;
      assert.equal((await poll()).ok, true);
    } finally {
      await early?.close();
      await machine.close();
    }
  });

  it("a port that is taken: one sentence that says what to do", () =>
    assert.rejects(
      createIntrospection({ agent: here.agent(), port: endpoint.port, log: quiet }),
      /cannot listen on 127\.0\.0\.1:\d+ .*--introspection-port/,
    ));
});
