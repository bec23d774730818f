// A process that writes to a store for ever, or `count` times, and says each acknowledged revision on its stdout by
// a write of its own: `ack <revision> <key> <n>`. Arguments: folder, writers at once, count.
import { writeSync } from "node:fs";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import { keyOf, objectNamed } from "./objects.js";

const [folder = "", writers = "1", count = "Infinity"] = process.argv.slice(2);
const store = await openLmdbStore({ folder });
writeSync(1, `ready ${store.revision()}\n`);
await Promise.all(
  Array.from({ length: Number(writers) }, async (_, w) => {
    const key = keyOf(`w${w}`);
    let current = await store.get(key);
    for (let n = 0; n < Number(count); n++) {
      const object = objectNamed(`w${w}`, { n, padding: "x".repeat((n * 37) % 3_000) });
      current = current ? await store.update(key, object, current.revision) : await store.create(key, object);
      writeSync(1, `ack ${current.revision} ${key} ${n}\n`);
    }
  }),
);
await store.close();
