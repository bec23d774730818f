import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { load } from "js-yaml";
import type { CustomResourceDefinition } from "../api/crd.js";
import { findResource } from "./api/resources.js";
import { UsageError } from "./failure.js";
import { skeleton } from "./output/skeleton.js";
import { print } from "./output/terminal.js";

export function define(command: Command): void {
  command
    .description("Prints a commented manifest of a kind to start from, made from its definition.")
    .argument("<kind>", "as in `davit get`")
    .option("--all", "with every field there is, not only the usual ones")
    .addHelpText("after", "\nExamples:\n  $ davit skeleton service > web.yaml\n  $ davit skeleton tdef --all | less")
    .action((kind: string, { all }: { all?: boolean }) => {
      const { plural, base } = findResource(kind);
      if (!base.includes("davit.dev"))
        throw new UsageError(`${kind} is not Davit's own kind: it has no skeleton here.`);
      const file = new URL(`../../crds/${plural}.yaml`, import.meta.url);
      print(skeleton(load(readFileSync(file, "utf8")) as CustomResourceDefinition, all ?? false));
    });
}
