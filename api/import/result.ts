// What the front door hands out.
import type { TaskSpec } from "../types.gen.js";

/** An object as somebody wrote it: not validated against its kind's schema, which the API server does. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string>; [key: string]: unknown };
  [key: string]: unknown;
}

/** A place in a file. Document, line and column count from 1; `field` is a path such as `spec.containerDefinitions[0].name`. */
export interface Place {
  file: string;
  document: number;
  line: number;
  column: number;
  field?: string;
}

export interface ImportedObject {
  manifest: Manifest;
  place: Place;
  /** The document asked for a new deployment (`forceNewDeployment`): to be done once, after the object is written. */
  restart?: true;
}

/** A RunTask request: what `davit run -f` takes. */
export interface ImportedRun {
  spec: TaskSpec;
  count: number;
  place: Place;
}

/** Something that was done to a document, and that its writer should know. */
export interface ImportNote extends Place {
  message: string;
}
/** Why nothing of a document is taken. */
export interface ImportError extends Place {
  message: string;
}

export interface ImportResult {
  objects: ImportedObject[];
  runs: ImportedRun[];
  notes: ImportNote[];
  errors: ImportError[];
}

/** `FILE: document 2, line 3, column 5: FIELD: MESSAGE`. */
export function describePlace({ file, document, line, column, field, message }: ImportNote | ImportError): string {
  const where = `${file}: document ${document}, line ${line}, column ${column}`;
  return `${where}: ${field === undefined ? "" : `${field}: `}${message}`;
}

/** On a Service that came as bare ECS JSON and names a family only: its revision is to be resolved when it is written,
 *  once, instead of being followed (decision A2, 4). Whoever writes the object replaces the family by `family:N`, and
 *  leaves the annotation out. */
export const RESOLVE_ANNOTATION = "davit.dev/resolve-revision";
/** On a TaskDefinition that was described elsewhere: the number that its revision had there, which it keeps. */
export const REVISION_ANNOTATION = "davit.dev/revision";
