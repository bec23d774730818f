// An image of Davit that holds just what an agent needs, FROM scratch: Node with its libraries, the built program, and
// four packages with what they stand on.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execute } from "./davit.js";
import { temporaryFolder } from "./folder.js";

const ROOT = new URL("../../../", import.meta.url).pathname;
const PACKAGES = ["nats", "@nats-io/nkeys", "commander", "pino"];
const PROGRAM = ["agent", "api", "bus", "cli", "store"];

export async function buildAgentImage(tag: string): Promise<void> {
  const folder = temporaryFolder("agent-image");
  try {
    const root = join(folder.path, "root");
    for (const file of [process.execPath, ...(await librariesOf(process.execPath))]) copy(file, join(root, file));
    for (const name of closure(PACKAGES))
      copy(join(ROOT, "node_modules", name), join(root, "davit/node_modules", name));
    for (const name of PROGRAM) copy(join(ROOT, "dist", name), join(root, "davit/dist", name));
    copy(join(ROOT, "package.json"), join(root, "davit/package.json"));
    const lines = ["FROM scratch", "COPY root /", `ENTRYPOINT ["${process.execPath}", "/davit/dist/cli/davit.js"]`];
    writeFileSync(join(folder.path, "Dockerfile"), `${lines.join("\n")}\n`);
    const built = await execute("docker", ["build", "-q", "-t", tag, folder.path], { DOCKER_BUILDKIT: "0" });
    if (built.code !== 0) throw new Error(`docker build ${tag}: ${built.stderr}`);
  } finally {
    folder.remove();
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, dereference: true });
}

/** Shared libraries, and the loader, as the program names them. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await execute("ldd", [program]);
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].flatMap(([, file]) => (file === undefined ? [] : [file]));
}

/** The packages, and all that they depend on. */
function closure(names: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    const text = readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8");
    const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
    for (const each of Object.keys(dependencies)) visit(each);
  };
  for (const name of names) visit(name);
  return found;
}
