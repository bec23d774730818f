// The kubectls that judge the API server: the one on PATH, and the one that Debian packages.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execute, type Output } from "./davit.js";
import { temporaryFolder } from "./folder.js";

const CACHE = fileURLToPath(new URL("../../../.test/kubectl/", import.meta.url));

export interface Kubectl {
  /** `1.32` */
  version: string;
  /** Runs it to its end, whatever its exit code. */
  (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Output>;
  /** Starts it; the caller ends it. */
  start(args: readonly string[]): ChildProcess;
  /** Removes its HOME. */
  remove(): void;
}

/** Both programs, each with its own HOME: discovery is cached there for ten minutes. Where Debian's is of the same
 *  version, there is one. */
export function kubectls(kubeconfig: string): Kubectl[] {
  const programs = [programOnPath(), debianProgram()];
  const byVersion = new Map(programs.map((program) => [versionOf(program), program]));
  return [...byVersion].map(([version, program]) => kubectl(program, version, kubeconfig));
}

/** For a title per version, before any server runs. */
export const kubectlVersions = (): string[] => [...new Set([programOnPath(), debianProgram()].map(versionOf))];

function kubectl(program: string, version: string, kubeconfig: string): Kubectl {
  const home = temporaryFolder(`kubectl-${version}`);
  const env = { HOME: home.path, KUBECONFIG: kubeconfig };
  const run = (args: readonly string[], more: NodeJS.ProcessEnv = {}) => execute(program, args, { ...env, ...more });
  return Object.assign(run, {
    version,
    start: (args: readonly string[]) =>
      spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] }),
    remove: home.remove,
  });
}

function programOnPath(): string {
  return execFileSync("sh", ["-c", "command -v kubectl"], { encoding: "utf8" }).trim();
}

/** Unpacked, not installed: it must not take the place of the one on PATH. */
function debianProgram(): string {
  const program = join(CACHE, "usr/bin/kubectl");
  if (existsSync(program)) return program;
  mkdirSync(CACHE, { recursive: true });
  execFileSync("apt-get", ["download", "-q", "kubernetes-client"], { cwd: CACHE, stdio: "pipe" });
  const archive = readdirSync(CACHE).find((name) => name.endsWith(".deb"));
  if (archive === undefined) throw new Error("apt-get downloaded no kubernetes-client");
  execFileSync("dpkg", ["-x", join(CACHE, archive), CACHE], { stdio: "pipe" });
  rmSync(join(CACHE, archive));
  return program;
}

function versionOf(program: string): string {
  const text = execFileSync(program, ["version", "--client", "-o", "json"], { encoding: "utf8" });
  const { clientVersion } = JSON.parse(text) as { clientVersion: { gitVersion: string } };
  const [, version = ""] = /^v(\d+\.\d+)/.exec(clientVersion.gitVersion) ?? [];
  return version;
}
