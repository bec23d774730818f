import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { ensurePki } from "../../apiserver/index.js";
import { keepCertificate } from "../../cli/supervisor/certificate.js";
import { temporaryFolder } from "../support/folder.js";
import { eventually } from "../support/wait.js";

const DAY_MS = 86_400_000;

describe("a certificate near its end", () => {
  const folder = temporaryFolder("certificate");
  let stop = (): void => undefined;
  after(() => {
    stop();
    folder.remove();
  });

  it("is made anew while Davit runs, for the same names and by the same CA; then those who show it start again", async () => {
    const names = ["davit.example"];
    let nowMs = Date.now();
    let looks = 0;
    const made = await ensurePki({ folder: folder.path, now: () => nowMs, extraNames: names });
    const restarted: { name: string; validTo: string }[] = [];
    const said: string[] = [];
    stop = keepCertificate({
      folder: folder.path,
      names,
      shownBy: ["server", "nats"],
      restart: async (name) => {
        const { cert } = await ensurePki({ folder: folder.path, now: () => nowMs, extraNames: names });
        restarted.push({ name, validTo: new X509Certificate(cert).validTo });
      },
      now: () => {
        looks += 1;
        return nowMs;
      },
      say: (line) => void said.push(line),
      everyMs: 10,
    });
    nowMs += 330 * DAY_MS;
    looks = 0;
    await eventually("it looks a few times", () => looks > 3);
    assert.deepEqual(restarted, []);
    nowMs += 10 * DAY_MS;
    await eventually("both start again", () => restarted.length === 2);
    const renewed = await ensurePki({ folder: folder.path, now: () => nowMs, extraNames: names });
    assert.notEqual(renewed.cert, made.cert);
    assert.equal(renewed.ca, made.ca);
    assert.deepEqual(
      restarted.map(({ name }) => name),
      ["server", "nats"],
    );
    for (const { validTo } of restarted) assert.equal(validTo, new X509Certificate(renewed.cert).validTo);
    assert.equal(said.length, 1);
  });
});
