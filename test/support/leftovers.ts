// What a test run must not leave behind: compared with what was there before it.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";

/** Every process that the run starts inherits this variable, with the run's id as its value. */
export const RUN_VARIABLE = "DAVIT_TEST_RUN";

const docker = (...args: string[]): string[] =>
  execFileSync("docker", args, { encoding: "utf8" }).split("\n").filter(Boolean);

function processesOf(run: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`${RUN_VARIABLE}=${run}`)) continue;
      found.push(`process ${pid}: ${readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim()}`);
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return found;
}

/** Entries of a folder of the system; none where there is no such folder. */
function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** One line for each process, container, network, volume, image, network namespace and link, and folder there is now. */
export function inventory(run: string): Set<string> {
  return new Set([
    ...processesOf(run),
    ...docker("ps", "-a", "--no-trunc", "--format", "container {{.ID}} {{.Names}} ({{.Image}})"),
    ...docker("network", "ls", "--no-trunc", "--format", "network {{.ID}} {{.Name}}"),
    ...docker("volume", "ls", "--format", "volume {{.Name}}"),
    ...docker("images", "--no-trunc", "--format", "image {{.Repository}}:{{.Tag}} {{.ID}}"),
    ...entries("/run/netns").map((name) => `network namespace ${name}`),
    // Docker's own come and go with containers of other people.
    ...entries("/sys/class/net")
      .filter((name) => !/^veth[0-9a-f]{7}$/.test(name))
      .map((name) => `network link ${name}`),
    ...readdirSync(tmpdir())
      .filter((name) => name.startsWith("davit-") && !name.startsWith("davit-dockerd."))
      .map((name) => `folder ${tmpdir()}/${name}`),
  ]);
}
