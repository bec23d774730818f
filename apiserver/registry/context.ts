import type { ApiObject } from "../../api/meta.js";
import type { Store } from "../../store/store.js";
import type { Resources } from "../resources/resource.js";
import type { NamespaceGuard } from "./namespaces.js";

/** What every verb works with. */
export interface RegistryContext {
  store: Store;
  resources: Resources;
  /** Milliseconds since the epoch. */
  now: () => number;
  newUid: () => string;
  /** At least 0, below 1; for generated names. */
  random: () => number;
  namespaces: NamespaceGuard;
  /** Sentences about a good object that its writer should know, at most one for each subject. */
  remarks(object: ApiObject): string[];
}

export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface WriteOptions {
  /** Go all the way, store nothing. */
  dryRun?: boolean;
  /** false: the writer is trusted to send what the schema allows. Defaults are filled in all the same.
   *  @default true */
  validate?: boolean;
  /** What to do with fields that the schema does not know. @default "Strict" */
  fieldValidation?: FieldValidation;
  /** Takes what becomes a `Warning` header. */
  warn?: (text: string) => void;
  /** Which part of the object this write replaces. @default "main": metadata and spec */
  part?: "main" | "status";
}

export const timestamp = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
