import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Token } from "./http/auth.js";

/** The bearer tokens of a file in the form of Kubernetes' static token file, `token,user,uid,"group,group"` a
 *  line. A missing file is made, with one token for `admin`. @throws naming the line that does not parse */
export async function ensureTokens(file: string): Promise<Token[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return parseTokens(text ?? (await makeFile(file)), file);
}

async function makeFile(file: string): Promise<string> {
  const text = `${randomBytes(32).toString("base64url")},admin,admin,"system:masters"\n`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return text;
}

export function parseTokens(text: string, file: string): Token[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const match = /^([^,\s]+),([^,]+),[^,]*(?:,"?([^"]*)"?)?$/.exec(line.trim());
    if (match === null) throw new Error(`${file}: line ${i + 1} must be token,user,uid,"group,group"`);
    const [, token = "", user = "", groups = ""] = match;
    return [{ token, user, groups: groups.split(",").filter((group) => group !== "") }];
  });
}
