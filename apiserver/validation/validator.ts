import type { Schema } from "../../api/crd.js";
import type { ApiObject } from "../../api/meta.js";
import type { Cause } from "../errors.js";
import { jsonEqual, valueAt } from "../json.js";
import type { Resource } from "../resources/resource.js";
import { required } from "./causes.js";
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

const validators = new WeakMap<Resource, Validator>();

/** The kind's one validator. */
export function validatorOf(resource: Resource): Validator {
  const known = validators.get(resource);
  if (known !== undefined) return known;
  const validator = createValidator(resource);
  validators.set(resource, validator);
  return validator;
}

/** Schemas are compiled when first needed, property by property: ajv takes a while for a large one, and most
 *  processes never check some of them. */
export function createValidator(resource: Resource): Validator {
  const { schema } = resource;
  let rules: RuleCheck | undefined;

  /** What the schema says against one top-level property. */
  function shapeOf(name: string, property: Schema, value: unknown): Cause[] {
    const causes = schemaCheck(property, name)(value);
    return causes.length > 0 ? causes : checkLists(property, value, name);
  }
  return {
    prune(object) {
      const unknown: string[] = [];
      return { object: prune(schema, object, "", (path) => unknown.push(path)), unknown };
    },
    applyDefaults: <T>(object: T) => applyDefaults(schema, object) as T,
    check(object, old) {
      const touched = (name: string) => old === undefined || !jsonEqual(valueAt(object, [name]), valueAt(old, [name]));
      const missing = (schema.required ?? []).filter((name) => valueAt(object, [name]) === undefined);
      const shape = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
        const value = valueAt(object, [name]);
        return value !== undefined && touched(name) ? shapeOf(name, property, value) : [];
      });
      const causes = [...missing.map((name) => required(name)), ...shape];
      // Wrong types would only make the later checks stumble over what is already said.
      if (causes.some(({ reason }) => reason === "FieldValueTypeInvalid")) return causes;
      rules ??= compileRules(schema);
      const broken = rules(object, old).filter(({ field }) => field === "" || touched(field.split(/[.[]/, 1)[0] ?? ""));
      return [...checkMetadata(resource, object.metadata, old?.metadata), ...causes, ...broken];
    },
  };
}

const compiled = new WeakMap<Schema, SchemaCheck>();

/** The schema of metadata is the same object for all kinds, and so is compiled once. */
function schemaCheck(schema: Schema, root: string): SchemaCheck {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const check = compileSchema(schema, root);
  compiled.set(schema, check);
  return check;
}
