// The same containers without Davit: the `docker` command, several at a time.
import { createLimiter } from "../../agent/runtimes/docker/limiter.js";
import { execute } from "../../test/support/davit.js";

export interface Containers {
  image: string;
  count: number;
  memoryMiB: number;
}

/** Starts them and gives the seconds until the last command has answered. `name` is the beginning of theirs. */
export async function runByCommand(name: string, { image, count, memoryMiB }: Containers, atOnce: number) {
  const limiter = createLimiter(atOnce);
  const run = async (n: number): Promise<void> => {
    // What Davit asks for by itself is asked for here too.
    const settings = ["--network", "host", "--memory", `${memoryMiB}m`, "--cpu-shares", "2", "--no-healthcheck"];
    const { code, stderr } = await execute("docker", ["run", "-d", "--name", `${name}-${n}`, ...settings, image]);
    if (code !== 0) throw new Error(`docker run: ${stderr}`);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: count }, (_, n) => limiter.run(() => run(n))));
  return (performance.now() - began) / 1000;
}

export async function removeByCommand(name: string, { count }: Containers): Promise<void> {
  await execute("docker", ["rm", "-f", ...Array.from({ length: count }, (_, n) => `${name}-${n}`)]);
}
