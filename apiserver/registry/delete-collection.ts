import { ApiError } from "../../client/object-client.js";
import { type Resource, refOf } from "../resources/resource.js";
import type { RegistryContext } from "./context.js";
import { type DeleteOptions, remove } from "./delete.js";
import { list, type ObjectList } from "./list.js";
import type { SelectionOptions } from "./selection.js";

/** Deletions under way at once: they share commits of the store. */
const AT_ONCE = 64;

/** Deletes each selected object as a delete of its own would; gives back what was there. */
export async function removeCollection(
  ctx: RegistryContext,
  resource: Resource,
  selection: SelectionOptions,
  options: DeleteOptions = {},
): Promise<ObjectList> {
  const found = await list(ctx, resource, selection);
  for (let from = 0; from < found.items.length; from += AT_ONCE)
    await Promise.all(
      found.items.slice(from, from + AT_ONCE).map(async (object) => {
        try {
          await remove(ctx, resource, refOf(object), options);
        } catch (error) {
          if (!(error instanceof ApiError) || error.code !== 404) throw error; // gone already: just as well
        }
      }),
    );
  return found;
}
