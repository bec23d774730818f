// A process that takes a lock and keeps it until it is killed, or says why it could not. Arguments: folder, name.
import { writeSync } from "node:fs";
import { acquireLock } from "../../store/lock.js";

const [folder = "", name = ""] = process.argv.slice(2);
try {
  await acquireLock(folder, name);
  writeSync(1, "held\n");
  setInterval(() => {}, 60_000);
} catch (error) {
  writeSync(1, `${error}\n`);
}
