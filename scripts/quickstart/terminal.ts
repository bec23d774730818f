import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";

export const say = (text: string): void => void process.stdout.write(`${text}\n`);
export const step = (title: string): void => say(`\n== ${title}`);
/** A command, as a person would type it. */
export const show = (command: string): void => say(`$ ${command}`);

/** Runs a program with this terminal. @throws Error if it fails */
export async function runHere(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  // In a group of its own, so that Ctrl-C is for the quickstart alone.
  const child = spawn(command, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
    detached: true,
  });
  const code = await new Promise<number | null>(
    (resolve, reject) => void child.once("error", reject).once("exit", resolve),
  );
  if (code !== 0) throw new Error(`it ended with exit code ${code}`);
}

/** @throws Error with what Docker said */
export async function docker(...args: string[]): Promise<string> {
  // The classic builder: BuildKit is a package of its own on Debian.
  const env = { ...process.env, DOCKER_BUILDKIT: "0" };
  return (await promisify(execFile)("docker", args, { env, encoding: "utf8" })).stdout;
}
