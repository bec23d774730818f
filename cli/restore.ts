import type { Command } from "commander";
import { restore } from "./backup/restore.js";
import { print } from "./output/terminal.js";
import { dataFolder } from "./supervisor/data-folder.js";

export function define(command: Command): void {
  command
    .description(
      "Makes a data folder of a file that `davit backup` wrote, for `davit up` to go on from: the same CA, keys and " +
        "tokens, so kubeconfigs and joined machines go on; containers that still run are taken over.",
    )
    .argument("<file>", "what `davit backup` wrote; checked before anything is touched")
    .option(
      "--data-dir <D>",
      "an empty or new folder (default: $DAVIT_DATA_DIR, else /var/lib/davit for root, ~/.davit for others)",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ davit restore davit.backup && davit up
  $ davit restore davit.backup --data-dir /srv/davit`,
    )
    .action(async (file: string, { dataDir }: { dataDir?: string }) => {
      const folder = dataFolder(dataDir);
      const { header, objects, joinTokens } = await restore(file, folder);
      const flag = dataDir === undefined ? "" : ` --data-dir ${folder.root}`;
      print(
        `${folder.root} holds ${objects - joinTokens} objects of ${header.takenAt} (revision ${header.revision}) and all keys.` +
          (joinTokens > 0 ? ` ${joinTokens} tokens for joining were left out: make new ones.` : "") +
          `\nStart it as it was started before, with the same addresses and ports: \`davit up${flag}\`.`,
      );
    });
}
