// What others serve through the API server: subresources that stream, and the metrics.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ConnectRequest } from "../../apiserver/index.js";
import { apiError } from "../../client/object-client.js";
import { eventually } from "../support/wait.js";
import { startServer, type TestServer } from "./support/server.js";

const LOG = "/apis/davit.dev/v1/namespaces/prod/tasks/one/log";
const as = (token: string) => ({ Authorization: `Bearer ${token}` });

describe("what others serve through the API server", () => {
  let server: TestServer;
  let asked: ConnectRequest[];
  let serve: (request: ConnectRequest) => Promise<void>;
  before(async () => {
    server = await startServer("connect", {
      connect: {
        "tasks/log": (request) => {
          asked.push(request);
          return serve(request);
        },
      },
      metrics: async () => "davit_queue_depth 0\n",
    });
  });
  after(() => server.close());
  beforeEach(() => {
    asked = [];
    serve = async ({ response }) => void response.end("said\n");
  });
  afterEach(() => assert.deepEqual(server.errors, []));

  it("a subresource is told which object, and what of it", async () => {
    const { code, text } = await server.call("GET", `${LOG}?follow=true&container=a%20b`);
    assert.deepEqual([code, text], [200, "said\n"]);
    const [request] = asked;
    assert.deepEqual(request?.ref, { namespace: "prod", name: "one" });
    assert.deepEqual(Object.fromEntries(request?.query ?? []), { follow: "true", container: "a b" });
  });

  it("a viewer may read it, somebody without a group may not, and without a token it is 401", async () => {
    assert.equal((await server.call("GET", LOG, undefined, as("viewer-token"))).code, 200);
    const { code, body } = await server.call("GET", LOG, undefined, as("nobody-token"));
    assert.deepEqual(
      [code, body.message],
      [
        403,
        'tasks.davit.dev "one" is forbidden: User "nora" cannot get resource "tasks/log" in API group "davit.dev" in the namespace "prod"',
      ],
    );
    assert.equal((await server.call("GET", LOG, undefined, as("wrong"))).code, 401);
    assert.equal(asked.length, 1);
  });

  it("its refusal is answered as a Status, as long as nothing else has been", async () => {
    serve = async () => {
      throw apiError(503, "ServiceUnavailable", "the agent is away");
    };
    const { code, body } = await server.call("GET", LOG);
    assert.deepEqual([code, body.reason, body.message], [503, "ServiceUnavailable", "the agent is away"]);
  });

  it("it is told when the reader goes", async () => {
    serve = async ({ response, signal }) => {
      response.write("first\n");
      if (!signal.aborted) await once(signal, "abort");
      response.end();
    };
    const reading = await server.open(`${LOG}?follow=true`);
    const [chunk] = (await once(reading, "data")) as [Buffer];
    assert.equal(String(chunk), "first\n");
    assert.equal(asked[0]?.signal.aborted, false);
    reading.destroy();
    await eventually("the end is told", () => asked[0]?.signal.aborted);
  });

  it("no other path leads to it", async () => {
    for (const path of [
      `${LOG}/more`,
      LOG.replace("/tasks/", "/services/"),
      LOG.replace("davit.dev/v1", "davit.dev/v2"),
      LOG.replace("/namespaces/prod", ""),
    ])
      assert.equal((await server.call("GET", path)).code, 404, path);
    assert.equal(asked.length, 0);
  });

  it("metrics are for readers, in Prometheus' text format", async () => {
    const { code, text, headers } = await server.call("GET", "/metrics", undefined, as("viewer-token"));
    assert.deepEqual(
      [code, text, headers["content-type"]],
      [200, "davit_queue_depth 0\n", "text/plain; version=0.0.4; charset=utf-8"],
    );
    const nobody = await server.call("GET", "/metrics", undefined, as("nobody-token"));
    assert.deepEqual([nobody.code, nobody.body.message], [403, 'forbidden: User "nora" cannot get path "/metrics"']);
    assert.equal((await server.call("GET", "/metrics", undefined, as("wrong"))).code, 401);
  });
});
