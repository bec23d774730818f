import assert from "node:assert/strict";
import { createServer, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { createDockerRuntime } from "../../agent/runtimes/docker/docker.js";
import { socketPath } from "../../agent/runtimes/docker/http.js";
import type { Runtime } from "../../agent/runtimes/runtime.js";
import { temporaryFolder } from "../support/folder.js";

describe("Docker Engine that does not do as it should", () => {
  const folder = temporaryFolder("docker-http");
  const socket = join(folder.path, "docker.sock");
  let server: Server | undefined;
  let runtime: Runtime | undefined;
  after(() => folder.remove());
  afterEach(async () => {
    await runtime?.close();
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
  });

  async function engine(answer: (path: string, response: ServerResponse) => void): Promise<Runtime> {
    server = createServer((request, response) => {
      if (request.url === "/version") response.end('{"ApiVersion":"1.43","Version":"24.0"}');
      else answer(request.url ?? "", response);
    }).listen(socket);
    await new Promise((resolve) => server?.once("listening", resolve));
    runtime = createDockerRuntime({
      agent: "a".repeat(32),
      dockerHost: `unix://${socket}`,
      options: { readTimeoutMs: 60, writeTimeoutMs: 60, pullInactivityMs: 60 },
    });
    return runtime;
  }
  const timedOut = { name: "DockerTimeoutError", message: /was not answered within/ };

  it("every call ends in time when it hangs", async () => {
    const hung = await engine(() => {});
    await assert.rejects(hung.list(), timedOut);
    await assert.rejects(hung.inspect("x"), timedOut);
    await assert.rejects(hung.hasImage("x"), timedOut);
    await assert.rejects(hung.start("x"), timedOut);
    await assert.rejects(hung.stop("x", 10), timedOut);
    await assert.rejects(hung.remove("x"), timedOut);
    const signal = new AbortController().signal;
    await assert.rejects(hung.changes(signal)[Symbol.asyncIterator]().next(), timedOut);
  });

  it("also when it stops in the middle of an answer", async () => {
    const half = await engine((_path, response) => {
      response.write("[");
    });
    await assert.rejects(half.list(), timedOut);
  });

  it("a pull without progress fails, one that goes on does not", async () => {
    let stall = true;
    const pulling = await engine((_path, response) => {
      response.write('{"status":"Downloading"}\n');
      if (stall) return;
      let times = 0;
      const timer = setInterval(() => {
        response.write('{"status":"Downloading"}\n');
        times += 1;
        if (times < 5) return;
        clearInterval(timer);
        response.end();
      }, 30);
    });
    const signal = new AbortController().signal;
    await assert.rejects(pulling.pull("web:1", signal), { name: "CannotPullContainerError", message: /no progress/ });
    stall = false;
    await pulling.pull("web:1", signal);
  });

  it("an error in the pull's stream is the pull's error", async () => {
    const pulling = await engine((path, response) => {
      assert.match(path, /^\/v1\.43\/images\/create\?fromImage=registry%3A5000%2Fshop%2Fweb&tag=latest$/);
      response.end('{"status":"Pulling"}\n{"errorDetail":{"message":"no space left"},"error":"no space left"}\n');
    });
    await assert.rejects(pulling.pull("registry:5000/shop/web", new AbortController().signal), {
      name: "CannotPullContainerError",
      message: "no space left",
    });
  });

  it("speaks the version that the Engine names, and reads what is there", async () => {
    const paths: string[] = [];
    const idle = await engine((path, response) => {
      paths.push(path);
      response.end(path.includes("/info") ? '{"NCPU":2,"MemTotal":4294967296,"ServerVersion":"24.0"}' : "[]");
    });
    const capacity = await idle.capacity();
    assert.deepEqual([capacity.cpuUnits, capacity.memoryMiB, capacity.version], [2048, 4096, "24.0"]);
    assert.ok(capacity.attributes.some(({ name }) => name === "com.amazonaws.ecs.capability.docker-remote-api.1.43"));
    assert.ok(!capacity.attributes.some(({ name }) => name === "com.amazonaws.ecs.capability.docker-remote-api.1.44"));
    assert.deepEqual(await idle.list(), []);
    assert.ok(paths.every((path) => path.startsWith("/v1.43/")));
  });

  it("a container that is gone: nothing to inspect, to stop or to remove", async () => {
    const empty = await engine((_path, response) => {
      response.statusCode = 404;
      response.end('{"message":"No such container: x"}');
    });
    assert.equal(await empty.inspect("x"), undefined);
    await empty.stop("x", 0);
    await empty.remove("x");
    await assert.rejects(empty.start("x"), {
      name: "CannotStartContainerError",
      message: "API error (404): No such container: x",
    });
  });

  it("without an Engine: one sentence that says what to do", async () => {
    runtime = createDockerRuntime({ agent: "a", dockerHost: `unix://${socket}.nosuch` });
    await assert.rejects(runtime.capacity(), {
      message: `Docker does not answer at unix://${socket}.nosuch (ENOENT): start the Docker Engine, or point DOCKER_HOST at its socket`,
    });
    assert.throws(() => socketPath("tcp://10.0.0.1:2375"), /DOCKER_HOST=tcp:.*unix:\/\//);
  });
});
