// The lines with a prompt in a page of the documentation, and its files: what a test types is what stands there.
import { readFileSync } from "node:fs";

export interface TypedLine {
  /** Of the section: the text of its heading. */
  section: string;
  /** Before the `$`. */
  machine: string;
  line: string;
}

/** In the order of the page: the lines of its `console` blocks that have a prompt. */
export function typedLines(page: string): TypedLine[] {
  return blocks(page).flatMap(({ section, language, text }) =>
    language === "console"
      ? [...text.matchAll(/^(\w+)\$ (.+)$/gm)].map(([, machine = "", line = ""]) => ({ section, machine, line }))
      : [],
  );
}

/** The `yaml` block that begins with `# NAME`. @throws Error if there is none */
export function fileIn(page: string, name: string): string {
  const found = blocks(page).find(({ language, text }) => language === "yaml" && text.startsWith(`# ${name}\n`));
  if (found === undefined) throw new Error(`${page} shows no file ${name}`);
  return found.text;
}

function blocks(page: string): { section: string; language: string; text: string }[] {
  const content = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8");
  let section = "";
  return [...content.matchAll(/^## (.+)$|^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, title, language, text]) => {
    if (title !== undefined) section = title;
    return language === undefined || text === undefined ? [] : [{ section, language, text }];
  });
}
