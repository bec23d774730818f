// systemd as the first process of a container, where nothing runs the machine itself: with this machine's programs, units
// of its own, and no more rights than it needs. Its network is its own.
import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execute, type Output } from "./davit.js";
import { temporaryFolder } from "./folder.js";
import { removeImage } from "./images.js";
import { eventually } from "./wait.js";

const ROOT = realpathSync(new URL("../../../", import.meta.url).pathname);
/** What units of services count on. None of them touches the machine: no clock, no device, no kernel setting. */
const TARGETS = ["sysinit", "basic", "shutdown", "multi-user", "network-online"];

export interface SystemdContainer {
  /** Runs a program in it, in the repository. */
  run(command: string, ...args: string[]): Promise<Output>;
  remove(): Promise<void>;
}

export async function startSystemd(name: string): Promise<SystemdContainer> {
  const folder = temporaryFolder(name);
  const image = `${name}:1`;
  const remove = async (): Promise<void> => {
    await execute("docker", ["rm", "-f", name]);
    await removeImage(image);
    folder.remove();
  };
  try {
    writeRoot(join(folder.path, "root"));
    writeUnits(join(folder.path, "units"));
    writeFileSync(join(folder.path, "Dockerfile"), "FROM scratch\nCOPY root /\n");
    await docker(["build", "-q", "-t", image, folder.path], { DOCKER_BUILDKIT: "0" });
    await docker(["run", "-d", "--name", name, ...rights(), ...mounts(folder.path), image, "--unit=multi-user.target"]);
    const run = (command: string, ...args: string[]) =>
      execute("docker", [
        "exec",
        "-w",
        ROOT,
        "-e",
        "HOME=/root",
        "-e",
        "PATH=/usr/local/bin:/usr/bin:/usr/sbin",
        name,
        command,
        ...args,
      ]);
    await eventually(
      "systemd runs",
      async () => (await run("systemctl", "is-system-running")).stdout.trim() === "running",
    );
    return { run, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

const rights = (): string[] => [
  ...["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"],
  ...["--network", "none", "-e", "container=docker", "--entrypoint", "/usr/lib/systemd/systemd"],
];

function mounts(folder: string): string[] {
  const hierarchy = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup"].find((path) => existsSync(path)) ?? "";
  const readOnly = ["/usr", ROOT, realpathSync(join(ROOT, "node_modules"))];
  return [
    ...["--tmpfs", "/run", "--tmpfs", "/tmp", "--tmpfs", "/var", "-v", `${hierarchy}:${hierarchy}`],
    ...readOnly.flatMap((path) => ["-v", `${path}:${path}:ro`]),
    ...["-v", `${join(folder, "units")}:/usr/lib/systemd/system:ro`],
  ];
}

/** /usr is this machine's; around it is only what programs look for. */
function writeRoot(root: string): void {
  for (const path of ["etc/systemd/system", "var", "run", "tmp", "proc", "sys", "dev", "usr", "root"])
    mkdirSync(join(root, path), { recursive: true });
  for (const path of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${path}`, join(root, path));
  for (const file of ["ld.so.cache", "ld.so.conf", "ld.so.conf.d", "passwd", "group", "nsswitch.conf"])
    cpSync(join("/etc", file), join(root, "etc", file), { recursive: true });
  writeFileSync(join(root, "etc/machine-id"), "0123456789abcdef0123456789abcdef\n");
}

function writeUnits(folder: string): void {
  mkdirSync(folder);
  const unit = (name: string, text = "") =>
    writeFileSync(join(folder, name), `[Unit]\nDescription=${name}\nDefaultDependencies=no\n${text}`);
  for (const target of TARGETS) unit(`${target}.target`);
  unit("docker.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n");
}

async function docker(args: string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const { code, stderr } = await execute("docker", args, env);
  if (code !== 0) throw new Error(`docker ${args[0]}: ${stderr}`);
}
