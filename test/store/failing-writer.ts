// A process whose files may not grow past a limit (set by its parent): writes until a commit fails, and says what
// then happened. Argument: folder.
import { writeSync } from "node:fs";
import { openLmdbStore } from "../../store/lmdb/lmdb-store.js";
import { keyOf, objectNamed } from "./objects.js";

const store = await openLmdbStore({
  folder: process.argv[2] ?? "",
  fatal: (error) => writeSync(1, `fatal ${error.message}\n`),
});
const watching = (async () => {
  for await (const _ of store.watch("", 0, { signal: new AbortController().signal }));
})();
for (let n = 0; ; n++) {
  try {
    await store.create(keyOf(`t${n}`), objectNamed(`t${n}`, { padding: "x".repeat(3_000) }));
    writeSync(1, `ack ${n}\n`);
  } catch (error) {
    writeSync(1, `refused ${n} ${error instanceof Error ? error.message : error}\n`);
    await store.create(keyOf("later"), objectNamed("later")).catch(() => writeSync(1, "refused later\n"));
    await watching;
    process.exit(0);
  }
}
