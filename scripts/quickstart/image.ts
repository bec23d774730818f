// The quickstart's image, from the machine's own static busybox: no registry is asked.
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { docker, say } from "./terminal.js";

const NAME = "davit-quickstart-web";
const built: string[] = [];

const serve = (version: number): string => `#!/bin/sh
echo "Davit quickstart, version ${version}, from $(hostname)" > /www/index.html
httpd -f -v -p 8080 -h /www &
trap "kill $!" TERM INT
echo "version ${version} serves on port 8080"
wait
`;

const DOCKERFILE = `FROM scratch
COPY root /
RUN ["/bin/busybox", "--install", "/bin"]
CMD ["/bin/serve"]
`;

export async function buildWebImage(folder: string, version: number): Promise<void> {
  const context = join(folder, `image-${version}`);
  const root = join(context, "root");
  for (const path of ["bin", "www", "tmp"]) mkdirSync(join(root, path), { recursive: true });
  const found = await promisify(execFile)("sh", ["-c", "command -v busybox"], { encoding: "utf8" });
  copyFileSync(found.stdout.trim(), join(root, "bin/busybox"));
  writeFileSync(join(root, "bin/serve"), serve(version), { mode: 0o755 });
  writeFileSync(join(context, "Dockerfile"), DOCKERFILE);
  const tag = `${NAME}:${version}`;
  await docker("build", "-q", "-t", tag, context);
  built.push(tag);
  say(tag);
}

/** Only what was built here. */
export async function removeWebImages(): Promise<void> {
  if (built.length > 0) await docker("rmi", "-f", ...built.splice(0));
}
