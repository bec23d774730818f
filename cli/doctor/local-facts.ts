// What only the machine with the data folder can tell.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseTokens } from "../../apiserver/tokens.js";
import { messageOf } from "../failure.js";
import { checkDocker } from "../supervisor/checks.js";
import type { DataFolder } from "../supervisor/data-folder.js";
import { isAlive } from "../supervisor/process.js";
import { CHILDREN, readState, type SupervisorState } from "../supervisor/state-file.js";
import { diskOf } from "./diagnosis.js";
import type { LocalFacts } from "./facts.js";

/** undefined where there is no data folder, or it is not this user's to look into. */
export async function localFacts(folder: DataFolder): Promise<LocalFacts | undefined> {
  if (!existsSync(folder.stamp)) return undefined;
  const state = readState(folder.state);
  const up = state !== undefined && isAlive(state.supervisor);
  const docker = up && needsDocker(state) ? await dockerTrouble() : undefined;
  return {
    root: folder.root,
    up,
    down: up ? CHILDREN.filter((name) => state.children[name] && !isAlive(state.children[name])) : [],
    modes: secretModes(folder),
    disk: await diskOf(folder.root),
    ...(docker !== undefined && { docker }),
    fileTokens: fileTokens(join(folder.pki, "tokens.csv")),
  };
}

const needsDocker = ({ children }: SupervisorState): boolean =>
  children.agent?.commandLine.includes("--runtime docker") ?? false;

const dockerTrouble = (): Promise<string | undefined> =>
  checkDocker().then(
    () => undefined,
    (error: unknown) => messageOf(error),
  );

function secretModes(folder: DataFolder): LocalFacts["modes"] {
  const folders = [folder.root, folder.pki, folder.nats, join(folder.nats, "keys"), folder.store, folder.agent];
  const files = [
    folder.kubeconfig,
    ...[folder.pki, join(folder.nats, "keys")].flatMap(filesIn),
    ...filesIn(folder.nats).filter((file) => file.endsWith(".creds")),
  ];
  const owner = statSync(folder.root).uid;
  return [...folders, ...files].filter(existsSync).map((path) => {
    const { mode, uid } = statSync(path);
    return { path, mode: mode & 0o777, folder: folders.includes(path), ownedByMe: uid === owner };
  });
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((each) => each.isFile())
      .map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
}

function fileTokens(file: string): number {
  try {
    return parseTokens(readFileSync(file, "utf8"), file).length;
  } catch {
    return 0;
  }
}
