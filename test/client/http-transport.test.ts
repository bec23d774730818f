import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createHttpClient } from "../../client/http-client.js";
import { createTransport, type TransportOptions, Unreachable } from "../../client/http-transport.js";
import { ApiError } from "../../client/object-client.js";

// What no good server does, but networks, proxies and other servers do.
describe("HTTP transport", () => {
  let server: Server;
  const closers: (() => void)[] = [];
  const serve = async (answer: RequestListener, options: TransportOptions = {}) => {
    server = createServer(answer).listen(0, "127.0.0.1");
    await once(server, "listening");
    closers.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const transport = createTransport({ server: `${address}/`, token: "secret" }, options);
    closers.push(() => transport.close());
    return { transport, address };
  };
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });
  const rejects = async (answer: Promise<unknown>): Promise<unknown> =>
    answer.then(
      () => assert.fail("not refused"),
      (error: unknown) => error,
    );

  it("sends token, type, query and body", async () => {
    const { transport } = await serve(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const { authorization, "content-type": type, accept } = request.headers;
      response.end(JSON.stringify({ method: request.method, url: request.url, authorization, type, accept, body }));
    });
    const query = { labelSelector: "a in (b, c)", absent: undefined };
    assert.deepEqual(
      await transport.call("/apis/x", { method: "PATCH", contentType: "text/x", query, body: { n: 1 } }),
      {
        method: "PATCH",
        url: "/apis/x?labelSelector=a+in+%28b%2C+c%29",
        authorization: "Bearer secret",
        type: "text/x",
        accept: "application/json",
        body: '{"n":1}',
      },
    );
  });

  it("hands on each warning, whole", async () => {
    const warnings: string[] = [];
    const { transport } = await serve(
      (_, response) => {
        response.setHeader("Warning", ['299 - "one, with a comma"', '299 - "two \\"quoted\\""']);
        response.end("{}");
      },
      { onWarning: (text) => warnings.push(text) },
    );
    await transport.call("/");
    assert.deepEqual(warnings, ["one, with a comma", 'two "quoted"']);
  });

  it("gives an answer that is no JSON as text where that is asked for", async () => {
    const { transport } = await serve((_, response) => response.end("ok"));
    assert.equal(await transport.text("/readyz"), "ok");
  });

  it("makes an ApiError of any refusal, with or without a Status", async () => {
    const { transport } = await serve((request, response) => {
      response.statusCode = request.url === "/proxy" ? 502 : 404;
      response.end(request.url === "/proxy" ? "<h1>Bad gateway</h1>" : request.url === "/empty" ? "" : STATUS);
    });
    const errors = await Promise.all(["/", "/proxy", "/empty"].map((path) => rejects(transport.call(path))));
    assert.deepEqual(
      errors.map((error) => error instanceof ApiError && [error.code, error.reason, error.message]),
      [
        [404, "NotFound", "no such thing"],
        [502, "Unknown", "<h1>Bad gateway</h1>"],
        [404, "Unknown", "the server answered with 404"],
      ],
    );
  });

  it("says Unreachable, and of whom, when nobody answers, when the answer breaks off or is no JSON", async () => {
    const { transport, address } = await serve((request, response) => {
      if (request.url === "/cut") {
        response.writeHead(200, { "content-length": "100" }).write("{");
        setImmediate(() => response.destroy());
      } else if (request.url === "/html") response.end("<html>");
      else request.socket.destroy();
    });
    for (const path of ["/reset", "/cut", "/html"]) {
      const error = await rejects(transport.call(path));
      assert.ok(error instanceof Unreachable, `${path}: ${error}`);
    }
    server.close();
    server.closeAllConnections();
    const error = await rejects(transport.call("/"));
    assert.ok(error instanceof Unreachable);
    assert.match(error.message, new RegExp(`^${address}/ does not answer: .*ECONNREFUSED`));
  });

  it("gives up on a server that says nothing, and ends a stream that has fallen silent", async () => {
    const { transport } = await serve(
      (request, response) => {
        if (request.url === "/stream") response.write('{"n":1}\n');
      },
      { silenceMs: 50, streamSilenceMs: 50 },
    );
    assert.match(String(await rejects(transport.call("/"))), /no answer in 50 ms/);
    const seen: unknown[] = [];
    for await (const documents of transport.stream("/stream")) seen.push(...documents);
    assert.deepEqual(seen, [{ n: 1 }]);
  });

  it("reads lines however they are cut, also inside a character, and keeps those that came together together", async () => {
    const bytes = Buffer.from('{"text":"ä€😀"}\n{"n":2}\n{"n":3}\n{"never ended":');
    const { transport } = await serve(async (_, response) => {
      for (let at = 0; at < 14; at++) {
        response.write(bytes.subarray(at, at + 1));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      response.end(bytes.subarray(14));
    });
    const seen: (readonly unknown[])[] = [];
    for await (const documents of transport.stream("/")) seen.push(documents);
    assert.deepEqual(seen, [[{ text: "ä€😀" }, { n: 2 }, { n: 3 }]]);
  });

  it("tells a watcher of an error in the stream, after what came before it", async () => {
    const gone = { ...JSON.parse(STATUS), reason: "Expired", code: 410 };
    const event = { type: "ADDED", object: { kind: "Task", metadata: { name: "t", resourceVersion: "5" } } };
    const { address } = await serve((_, response) => {
      response.end(`${JSON.stringify(event)}\n${JSON.stringify({ type: "ERROR", object: gone })}\n`);
    });
    const client = createHttpClient({ connection: { server: address } });
    closers.push(() => client.close());
    const watch = client.watch("Task", { resourceVersion: "1", signal: new AbortController().signal });
    const seen: string[] = [];
    const error = await rejects(
      (async () => {
        for await (const batch of watch) seen.push(batch.resourceVersion);
      })(),
    );
    assert.ok(error instanceof ApiError && error.code === 410);
    assert.deepEqual(seen, ["5"]);
  });

  it("asks for credentials that expire before each request", async () => {
    const { address } = await serve((request, response) => response.end(JSON.stringify(request.headers.authorization)));
    let asked = 0;
    const authenticate = async () => ({ headers: { authorization: `Bearer ${++asked}` } });
    const transport = createTransport({ server: address, authenticate });
    closers.push(() => transport.close());
    assert.deepEqual([await transport.call("/"), await transport.call("/")], ["Bearer 1", "Bearer 2"]);
  });
});

const STATUS = JSON.stringify({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message: "no such thing",
  reason: "NotFound",
  code: 404,
});
