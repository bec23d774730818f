import type { ApiObject, ObjectMeta } from "../../api/meta.js";
import type { Cause } from "../errors.js";
import { jsonEqual, valueAt } from "../json.js";
import type { Resource } from "../resources/resource.js";
import { compileRules, type RuleCheck } from "./cel.js";
import { applyDefaults } from "./defaults.js";
import { compileSchema, type SchemaCheck } from "./json-schema.js";
import { checkLists } from "./lists.js";
import { checkMetadata } from "./metadata.js";
import { prune } from "./pruning.js";

/** Everything one kind's schema can do to a document. Nothing changes its argument. */
export interface Validator {
  /** Without unknown fields (listed by path) and without nulls that mean nothing. */
  prune(object: unknown): { object: unknown; unknown: string[] };
  applyDefaults<T>(object: T): T;
  /** All that is wrong with an object, in the order of its schema; `old` on update. What was wrong before and has
   *  not been touched is not held against a later write. */
  check(object: ApiObject, old?: ApiObject): Cause[];
}

/** Compiled when first needed: ajv takes milliseconds for a large schema, and many processes never write one. */
export function createValidator(resource: Resource): Validator {
  const { schema } = resource;
  let compiled: { schema: SchemaCheck; rules: RuleCheck } | undefined;
  const compile = () => ({ schema: compileSchema(schema), rules: compileRules(schema) });

  return {
    prune(object) {
      const unknown: string[] = [];
      return { object: prune(schema, object, "", (path) => unknown.push(path)), unknown };
    },
    applyDefaults: <T>(object: T) => applyDefaults(schema, object) as T,
    check(object, old) {
      compiled ??= compile();
      const shape = ratchet(compiled.schema(object), object, old);
      // Wrong types would only make the later checks stumble over what is already said.
      if (shape.some(({ reason }) => reason === "FieldValueTypeInvalid")) return shape;
      const metadata = checkMetadata(resource, object.metadata as ObjectMeta, old?.metadata);
      const lists = ratchet(checkLists(schema, object), object, old);
      const rules = ratchet(compiled.rules(object, old), object, old);
      return [...metadata, ...shape, ...lists, ...rules];
    },
  };
}

/** Drops what concerns a top-level field that this write leaves as it was (a schema may have become stricter). */
function ratchet(causes: Cause[], object: ApiObject, old: ApiObject | undefined): Cause[] {
  if (old === undefined || causes.length === 0) return causes;
  return causes.filter(({ field }) => {
    const top = field.split(/[.[]/, 1);
    return field === "" || !jsonEqual(valueAt(object, top), valueAt(old, top));
  });
}
