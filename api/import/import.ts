// The front door: a file's text, YAML or JSON, Davit's manifests or bare ECS documents, to objects. Pure.
import { withoutNulls } from "../nulls.js";
import { splitDocuments } from "./documents.js";
import { importEcs, isJson, type Json, type Path } from "./ecs.js";
import { checkManifest, isList, isManifest } from "./manifest.js";
import { type ParsedDocument, ParseError, parseDocument, type Spot } from "./parse.js";
import type { ImportResult, Place } from "./result.js";

export interface ImportOptions {
  /** Whether a RunTask request is welcome; where only objects are, it is an error. @default false */
  runs?: boolean;
}

/** Nothing is taken of a document that has an error; other documents of the file are taken all the same.
 *  @param file its name, which also tells what it is: in `.json`, and in a text without a name that begins with a
 *  brace, only JSON is taken; else YAML */
export function importDocuments(text: string, file: string, { runs = false }: ImportOptions = {}): ImportResult {
  const result: ImportResult = { objects: [], runs: [], notes: [], errors: [] };
  const strictJson = /\.json$/i.test(file) || (!/\.ya?ml$/i.test(file) && /^\s*[{[]/.test(text));
  const documents = splitDocuments(text);
  if (documents.length === 0)
    result.errors.push({ file, document: 1, line: 1, column: 1, message: "holds no document" });
  documents.forEach((document, i) => {
    const placeOf = (spot: Spot, field?: string): Place => ({
      file,
      document: i + 1,
      ...spot,
      ...(field && { field }),
    });
    try {
      const parsed = parseDocument(document, strictJson);
      const taken = takeDocument(parsed, placeOf, runs);
      result.notes.push(...taken.notes);
      result.errors.push(...taken.errors);
      if (taken.errors.length > 0) return;
      result.objects.push(...taken.objects);
      result.runs.push(...taken.runs);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      result.errors.push({ ...placeOf(error.spot, error.field), message: error.message });
    }
  });
  return result;
}

type PlaceOf = (spot: Spot, field?: string) => Place;

function takeDocument({ value, spotOf }: ParsedDocument, placeOf: PlaceOf, runs: boolean): ImportResult {
  const result: ImportResult = { objects: [], runs: [], notes: [], errors: [] };
  const place = (path: Path, field?: string): Place => placeOf(spotOf(path), field);
  const fail = (path: Path, field: string | undefined, message: string): void => {
    result.errors.push({ ...place(path, field), message });
  };
  const nulls: string[] = [];
  const document = withoutNulls(value, (path) => nulls.push(path));
  // An empty value is one, and none is none: null is a slip, and must not pass for either.
  for (const path of nulls.filter((path) => /(^|\.)tags\[\d+\]\.value$/.test(path)))
    fail(pathOf(path), path, "must be text: it may be empty or left out, but not null");
  if (nulls.length > 0) result.notes.push({ ...place([]), message: nullNote(nulls) });
  if (!isJson(document)) {
    fail([], undefined, `is ${Array.isArray(document) ? "a list" : "a single value"}: an object is wanted`);
    return result;
  }
  if (isManifest(document)) takeManifests(document, [], result, place, fail);
  else takeEcs(document, runs, result, place, fail);
  return result;
}

type PlaceAt = (path: Path, field?: string) => Place;
type Fail = (path: Path, field: string | undefined, message: string) => void;

function takeManifests(document: unknown, at: Path, result: ImportResult, place: PlaceAt, fail: Fail): void {
  if (!isJson(document)) {
    fail(at, fieldOf(at), "must be an object");
    return;
  }
  if (isList(document)) {
    document.items.forEach((item, i) => {
      takeManifests(item, [...at, "items", i], result, place, fail);
    });
    return;
  }
  const checked = checkManifest(document);
  if ("manifest" in checked) result.objects.push({ manifest: checked.manifest, place: place(at) });
  else fail([...at, ...checked.problem.path], fieldOf([...at, ...checked.problem.path]), checked.problem.message);
}

function takeEcs(document: Json, runs: boolean, result: ImportResult, place: PlaceAt, fail: Fail): void {
  const imported = importEcs(document);
  if (!imported) {
    fail([], undefined, nothingKnown(document));
    return;
  }
  for (const item of imported) {
    if (item.kind === "error") fail(item.at, item.field, item.message);
    else if (item.kind === "run" && !runs)
      fail(item.at, undefined, "is a RunTask request, which starts tasks once: use `davit run -f`");
    else if (item.kind === "run") result.runs.push({ spec: item.spec, count: item.count, place: place(item.at) });
    else
      result.objects.push({ manifest: item.manifest, place: place(item.at), ...(item.restart && { restart: true }) });
    if (item.kind === "object" || (item.kind === "run" && runs))
      result.notes.push(...item.notes.map((message) => ({ ...place(item.at), message })));
  }
}

const nothingKnown = (document: Json): string =>
  "is neither a manifest (apiVersion, kind) nor a task definition, service, cluster or RunTask request of ECS; " +
  `its keys are ${Object.keys(document).join(", ") || "none"}`;

const fieldOf = (path: Path): string =>
  path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");

/** Back from `a[0].b` to its parts. */
const pathOf = (field: string): Path =>
  [...field.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));

const SHOWN_NULLS = 5;
const nullNote = (nulls: readonly string[]): string =>
  `left out what is null: ${nulls.slice(0, SHOWN_NULLS).join(", ")}${nulls.length > SHOWN_NULLS ? ` and ${nulls.length - SHOWN_NULLS} more` : ""}`;
