import assert from "node:assert/strict";
import fc from "fast-check";
import { type Backup, Damaged, decode, encode, type Line } from "../../../cli/backup/format.js";
import { keyOf, objectNamed } from "../../store/objects.js";
import { seedOf } from "../../support/soak-count.js";

const BACKUP: Backup = {
  header: {
    format: 1,
    dataFormat: 1,
    davitVersion: "0.1.0",
    takenAt: "2026-01-01T00:00:00.000Z",
    store: "s",
    revision: 9,
  },
  files: [{ path: "pki/ca.key", base64: Buffer.from("secret\n").toString("base64") }],
  entries: [
    { key: keyOf("a"), revision: 3, object: objectNamed("a", { text: "ä€😀\n" }) },
    { key: keyOf("b"), revision: 9, object: objectNamed("b", { long: "x".repeat(200_000) }) },
  ],
};

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function read(bytes: Buffer, size = 1000): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of decode(pieces(bytes, size))) lines.push(line);
  return lines;
}
const whole = (): Buffer => Buffer.concat([...encode(BACKUP)]);

describe("a backup's format", () => {
  it("gives back what went in, however it is cut on the way", async () => {
    for (const size of [1, 7, 1000, 1_000_000]) {
      const lines = await read(whole(), size);
      assert.deepEqual(lines.slice(0, -1), [
        { header: BACKUP.header },
        ...BACKUP.files.map((file) => ({ file })),
        ...BACKUP.entries.map((entry) => ({ entry })),
      ]);
      const last = lines.at(-1);
      assert.ok(last && "end" in last);
      assert.deepEqual([last.end.files, last.end.objects], [1, 2]);
    }
  });

  it("keeps little of it in memory as text: it comes in pieces", () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({
      key: keyOf(`t${i}`),
      revision: i + 1,
      object: objectNamed(`t${i}`, { text: "x".repeat(1000) }),
    }));
    const sizes = [...encode({ ...BACKUP, entries: many })].map((piece) => piece.length);
    assert.ok(sizes.length > 10 && Math.max(...sizes) < 128 * 1024, `${sizes.length} pieces, ${Math.max(...sizes)}`);
  });

  it("is noticed when it is cut anywhere", async () => {
    const bytes = Buffer.concat([...encode({ ...BACKUP, entries: BACKUP.entries.slice(0, 1) })]);
    for (let length = 0; length < bytes.length; length++)
      await assert.rejects(read(bytes.subarray(0, length)), Damaged, `cut at ${length} of ${bytes.length}`);
    await read(bytes);
  });

  it("is noticed when any byte of it is another, or something is put behind it", async () => {
    const bytes = Buffer.concat([...encode({ ...BACKUP, entries: BACKUP.entries.slice(0, 1) })]);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, other) => {
        const altered = Buffer.from(bytes);
        altered[at] = (altered[at] ?? 0) ^ other;
        await assert.rejects(read(altered), Damaged);
      }),
      { seed: seedOf("altered backup"), numRuns: 300 },
    );
    await assert.rejects(read(Buffer.concat([bytes, Buffer.from("\n")])), Damaged);
    await assert.rejects(read(Buffer.concat([bytes, bytes])), Damaged);
  });

  it("tells other files from backups", async () => {
    for (const text of [
      "",
      "\n",
      "hello\n",
      "{}\n",
      '{"kind":"List"}\n',
      '{"end":{"files":0,"objects":0,"sha256":""}}\n',
    ])
      await assert.rejects(read(Buffer.from(text)), Damaged, JSON.stringify(text));
  });
});
