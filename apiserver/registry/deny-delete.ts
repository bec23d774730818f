import { resourceIdOf } from "../../api/arn.js";
import type { ApiObject } from "../../api/meta.js";
import { objectName } from "../../api/names.js";
import { apiError, DELETION_DENIED } from "../../client/object-client.js";
import { valueAt } from "../json.js";
import type { DenyDelete, FieldTerm } from "../resources/deny-delete.js";
import { prefixOf, qualifiedName, type Ref, type Resource } from "../resources/resource.js";
import type { RegistryContext } from "./context.js";

/** Looks whether other objects keep this one from being deleted, in the store itself: counters in a status lag.
 *  @throws 409 Conflict with a cause for each kind of them, and their number */
export async function checkDeletable(
  ctx: RegistryContext,
  resource: Resource,
  ref: Ref,
  object: ApiObject,
): Promise<void> {
  const rules = resource.denyDelete.filter(({ unless }) => unless === undefined || text(object, unless) === "");
  const held = await Promise.all(rules.map((rule) => holdersOf(ctx, resource, ref, rule)));
  const against = held.filter(({ names }) => names.length > 0);
  if (against.length > 0) throw denied(resource, ref, against);
}

interface Holders {
  rule: DenyDelete;
  /** How their kind is called: one, and several. */
  words: readonly [singular: string, plural: string];
  names: string[];
}

async function holdersOf(ctx: RegistryContext, resource: Resource, ref: Ref, rule: DenyDelete): Promise<Holders> {
  const holder = ctx.resources.byPath(resource.group, resource.version, rule.resource);
  if (holder === undefined) return { rule, words: ["", ""], names: [] };
  const { entries } = await ctx.store.list(prefixOf(holder, ref.namespace));
  const names: string[] = [];
  for (const { object } of entries)
    if (pointsAt(object, ref, rule) && rule.where.every((term) => holds(object, term)))
      names.push(object.metadata.name);
  return { rule, words: [holder.singular, holder.plural], names };
}

/** A field may hold the object's name, the ECS name from which that is derived, or an ARN that ends in one. */
function pointsAt(object: ApiObject, { name }: Ref, rule: DenyDelete): boolean {
  const value = text(object, rule.field) || (rule.default ?? "");
  return value === name || (value !== "" && objectName(resourceIdOf(value)) === name);
}

const holds = (object: ApiObject, { path, equal, value }: FieldTerm): boolean =>
  (text(object, path) === value) === equal;

function text(object: ApiObject, path: readonly string[]): string {
  const value = valueAt(object, path);
  return value === undefined || value === null ? "" : String(value);
}

const SHOWN = 5;

function denied(resource: Resource, ref: Ref, against: readonly Holders[]) {
  const causes = against.map(({ rule, names, words }) => ({
    reason: DELETION_DENIED,
    field: rule.resource,
    message: `${names.length} ${words[names.length === 1 ? 0 : 1]}: ${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ", …" : ""}`,
  }));
  const sentences = against.map(({ rule }, i) => `${rule.message} (${causes[i]?.message})`);
  const cascade = resource.cascades ? ["To delete it with what it holds, ask for propagationPolicy Foreground."] : [];
  const why = [...sentences, ...cascade].join(" ");
  return apiError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedName(resource)} "${ref.name}": ${why}`,
    {
      name: ref.name,
      group: resource.group,
      kind: resource.plural,
      causes,
    },
  );
}
