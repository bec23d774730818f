// A file's text to its documents.

/** At most this much of one document is taken: what Kubernetes can store of one object. */
export const MAX_DOCUMENT_BYTES = 1.5 * 1024 * 1024;

export interface DocumentText {
  text: string;
  /** How many lines of the file stand before it. */
  linesBefore: number;
}

/** The file's documents: what stands between lines that begin with `---`. A part with nothing but blank lines,
 *  comments and directives is none. In YAML such a line is a boundary wherever it stands, and in JSON there is none. */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = [];
  let linesBefore = 0;
  for (const part of text.replace(/^\uFEFF/, "").split(/^(?=---(?:[ \t\r\n]|$))/m)) {
    if (hasContent(part)) documents.push({ text: part, linesBefore });
    linesBefore += part.split("\n").length - 1;
  }
  return documents;
}

const hasContent = (part: string): boolean =>
  part
    .replace(/^---/, "")
    .split("\n")
    .some((line) => !/^\s*(#.*)?$|^%|^\.\.\.\s*$/.test(line));
