import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A fresh folder under the system's temporary folder, named so that the run's last check finds it if left behind. */
export function temporaryFolder(name: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `davit-test-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
