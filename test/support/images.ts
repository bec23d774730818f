// Test images: FROM scratch, with Debian's static busybox. No registry is asked.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execute } from "./davit.js";
import { temporaryFolder } from "./folder.js";

/** What a web image serves at /. */
export const page = (version: string): string => `davit test page ${version}\n`;

export interface ImageOptions {
  /** What the image runs if a definition says nothing. @default sleep 100000 */
  command?: readonly string[];
  /** Path in the image → its text; all are executable. */
  files?: Readonly<Record<string, string>>;
  /** Further lines of the Dockerfile, such as HEALTHCHECK. */
  lines?: readonly string[];
}

/** Builds an image in which every busybox applet is a command, and /www holds a page for `httpd -h /www`. */
export async function buildImage(tag: string, options: ImageOptions = {}): Promise<void> {
  const folder = temporaryFolder("image");
  try {
    const root = join(folder.path, "root");
    const files = { "www/index.html": page(tag), ...options.files };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), text, { mode: 0o755 });
    }
    mkdirSync(join(root, "bin"), { recursive: true });
    for (const path of ["tmp", "etc", "root"]) mkdirSync(join(root, path), { recursive: true });
    const busybox = (await execute("sh", ["-c", "command -v busybox"])).stdout.trim();
    copyFileSync(busybox, join(root, "bin/busybox"));
    const dockerfile = [
      "FROM scratch",
      "COPY root /",
      'RUN ["/bin/busybox", "--install", "/bin"]',
      ...(options.lines ?? []),
      `CMD ${JSON.stringify(options.command ?? ["sleep", "100000"])}`,
    ];
    writeFileSync(join(folder.path, "Dockerfile"), `${dockerfile.join("\n")}\n`);
    // The classic builder: BuildKit is a package of its own on Debian.
    const built = await execute("docker", ["build", "-q", "-t", tag, folder.path], { DOCKER_BUILDKIT: "0" });
    if (built.code !== 0) throw new Error(`docker build ${tag}: ${built.stderr}`);
  } finally {
    folder.remove();
  }
}

/** Gives a built image further names. */
export async function tagImage(tag: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { code, stderr } = await execute("docker", ["tag", tag, name]);
    if (code !== 0) throw new Error(`docker tag ${name}: ${stderr}`);
  }
}

/** Removes names, and the image with its last one. */
export async function removeImage(...tags: readonly string[]): Promise<void> {
  await execute("docker", ["rmi", "-f", ...tags]);
}
