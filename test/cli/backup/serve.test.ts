// `GET /davit/v1/backup` over HTTPS.
import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { decode, type Line } from "../../../cli/backup/format.js";
import { serveBackup } from "../../../cli/backup/serve.js";
import { type DataFolder, dataFolder } from "../../../cli/supervisor/data-folder.js";
import { createTransport, Unreachable } from "../../../client/http-transport.js";
import { startServer, type TestServer } from "../../apiserver/support/server.js";
import { keyOf, objectNamed } from "../../store/objects.js";
import { eventually } from "../../support/wait.js";

const PATH = "/davit/v1/backup";

describe("a backup over the API", () => {
  let server: TestServer;
  let folder: DataFolder;
  let ended = 0;
  before(async () => {
    server = await startServer("backup", {
      paths: {
        [PATH]: (exchange) =>
          serveBackup({ folder, store: server.store, now: Date.now, maxStallMs: 200 })(exchange).finally(() => ended++),
      },
    });
    folder = dataFolder(join(server.folder, "data"));
  });
  after(() => server.close());
  afterEach(() => assert.deepEqual(server.errors, []));
  const fill = (name: string, count: number, padding: number) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        server.store.create(keyOf(`${name}${i}`), objectNamed(`${name}${i}`, { pad: "x".repeat(padding) })),
      ),
    );
  const transport = () =>
    createTransport({ server: `https://127.0.0.1:${server.port}`, ca: server.ca, token: server.token });

  it("is for administrators alone, and to be read", async () => {
    const viewer = await server.call("GET", PATH, undefined, { Authorization: "Bearer viewer-token" });
    assert.deepEqual([viewer.code, viewer.body.reason], [403, "Forbidden"]);
    assert.equal((await server.call("GET", PATH, undefined, { Authorization: "Bearer wrong" })).code, 401);
    assert.equal((await server.call("DELETE", PATH)).code, 405);
  });

  it("holds the whole store at one revision, while it is written", async () => {
    await fill("t", 500, 2_000);
    const { entries, revision } = await server.store.list("");
    const lines: Line[] = [];
    const { bytes, close } = transport();
    for await (const line of decode(bytes(PATH))) {
      lines.push(line);
      const first = await server.store.get(keyOf("t0"));
      if (first) await server.store.update(first.key, objectNamed("t0", { n: lines.length }), first.revision);
    }
    close();
    assert.deepEqual(
      lines.flatMap((line) => ("entry" in line ? [line.entry] : [])),
      entries,
    );
    assert.ok(lines[0] && "header" in lines[0]);
    assert.deepEqual([lines[0].header.revision, lines[0].header.store], [revision, server.store.id]);
  });

  it("cuts off a reader that stops reading, who sees that it is not whole", async () => {
    await fill("large", 400, 100_000);
    const before = ended;
    const reading = await server.open(PATH);
    reading.pause();
    const broken = once(reading, "error");
    await eventually("it is cut off", () => ended === before + 1);
    reading.resume();
    const [error] = await broken;
    assert.match(String(error), /aborted|ECONNRESET/);
  });

  it("its reader throws when the server breaks off", async () => {
    const { bytes, close } = transport();
    await assert.rejects(async () => {
      for await (const _ of bytes(PATH)) close();
    }, Unreachable);
  });
});
