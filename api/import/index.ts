// api/import: the front door. See import.ts.
export { type ImportOptions, importDocuments } from "./import.js";
export * from "./result.js";
