import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { EXIT, Failure } from "../failure.js";

/** What one Davit keeps on disk. Everything below `root`, nothing anywhere else. */
export interface DataFolder {
  root: string;
  stamp: string;
  /** Stands in the stamp's place while a backup is being restored here. */
  restoring: string;
  state: string;
  kubeconfig: string;
  store: string;
  pki: string;
  nats: string;
  agent: string;
  logs: string;
}

/** Rises when an older Davit could not read what a newer one wrote here. */
export const FORMAT = 1;

/** `--data-dir`, else $DAVIT_DATA_DIR, else /var/lib/davit for root and ~/.davit for everybody else. */
function defaultRoot(): string {
  return process.env.DAVIT_DATA_DIR ?? (process.getuid?.() === 0 ? "/var/lib/davit" : join(homedir(), ".davit"));
}

export function dataFolder(dataDir: string | undefined): DataFolder {
  const root = resolve(dataDir ?? defaultRoot());
  const at = (name: string) => join(root, name);
  return {
    root,
    stamp: at("davit.json"),
    restoring: at("restoring.json"),
    state: at("state.json"),
    kubeconfig: at("kubeconfig"),
    store: at("store"),
    pki: at("pki"),
    nats: at("nats"),
    agent: at("agent"),
    logs: at("logs"),
  };
}

/** Makes the folder or checks that it is ours and of our format.
 *  @throws Failure if it belongs to something else or to another version */
export function openDataFolder(folder: DataFolder): void {
  const { root, stamp } = folder;
  if (existsSync(stamp)) checkFormat(folder);
  else if (existsSync(folder.restoring))
    throw new Failure(
      `a restore into ${root} was cut short: run \`davit restore FILE --data-dir ${root}\` again, and it starts afresh.`,
      EXIT.fatal,
    );
  else if (existsSync(root) && readdirSync(root).length > 0)
    throw new Failure(
      `${root} is not empty and not a Davit data folder (no davit.json in it): name an empty or new folder with --data-dir.`,
      EXIT.fatal,
    );
  for (const path of [root, folder.store, folder.pki, folder.nats, folder.agent, folder.logs])
    mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!existsSync(stamp)) writeJson(stamp, { format: FORMAT });
}

function checkFormat({ root, stamp }: DataFolder): void {
  const format = formatOf(stamp);
  if (format === FORMAT) return;
  throw new Failure(
    `${root} was written by another version of Davit (format ${String(format)}, this one reads ${FORMAT}): ` +
      "use that version, or name another folder with --data-dir.",
    EXIT.fatal,
  );
}

function formatOf(stamp: string): unknown {
  try {
    const parsed: unknown = JSON.parse(readFileSync(stamp, "utf8"));
    return typeof parsed === "object" && parsed !== null && "format" in parsed ? parsed.format : "unknown";
  } catch {
    return "unreadable";
  }
}

/** Whole or not at all: a reader never sees half a file. For its owner only. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}

export const writeJson = (path: string, value: unknown): void =>
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
