// Apply, as kubectl does it on the client's side, over whatever reaches the objects.
import { isDeepStrictEqual } from "node:util";
import type { ApiObject } from "../api/meta.js";
import type { Kind, New } from "../api/types.gen.js";
import { ApiError, type MergePatch, type ObjectClient } from "../client/object-client.js";
import { applyPatch, LAST_APPLIED, lastApplied, type Manifest, withLastApplied } from "./last-applied.js";

/** What apply asks of an API. */
export interface ApplyClient {
  get(manifest: Manifest): Promise<ApiObject | undefined>;
  create(manifest: Manifest): Promise<ApiObject>;
  patch(manifest: Manifest, patch: MergePatch): Promise<ApiObject>;
}

export interface ApplyOptions {
  /** Names the apply that this object's change is part of: services wait with a new revision until it is over. */
  batch: string;
}

export interface ApplyResult {
  outcome: "created" | "configured" | "unchanged";
  object: ApiObject;
}

/** On objects that one apply changed: which one that was. Not part of what is recorded as applied. */
const BATCH_ANNOTATION = "davit.dev/batch";

/** Creates the object, or changes what differs from the text and removes what the text no longer has.
 *  @throws ApiError as the API refuses it */
export async function applyObject(
  client: ApplyClient,
  manifest: Manifest,
  options: ApplyOptions,
): Promise<ApplyResult> {
  for (let attempt = 1; ; attempt += 1) {
    const live = await client.get(manifest);
    try {
      return live ? await change(client, manifest, live, options) : await create(client, manifest, options);
    } catch (error) {
      // Somebody else created or deleted it since we looked.
      const raced = error instanceof ApiError && (live ? error.code === 404 : error.reason === "AlreadyExists");
      if (!raced || attempt >= 3) throw error;
    }
  }
}

async function create(client: ApplyClient, manifest: Manifest, { batch }: ApplyOptions): Promise<ApplyResult> {
  const recorded = withLastApplied(manifest);
  const annotations = { ...recorded.metadata.annotations, [BATCH_ANNOTATION]: batch };
  const object = await client.create({ ...recorded, metadata: { ...recorded.metadata, annotations } });
  return { outcome: "created", object };
}

async function change(
  client: ApplyClient,
  manifest: Manifest,
  live: ApiObject,
  options: ApplyOptions,
): Promise<ApplyResult> {
  const patch = applyPatch(manifest, live);
  if (!patch) return { outcome: "unchanged", object: live };
  const object = await client.patch(manifest, sameText(manifest, live) ? patch : withBatch(patch, options.batch));
  const unchanged = object.metadata.resourceVersion === live.metadata.resourceVersion;
  return { outcome: unchanged ? "unchanged" : "configured", object };
}

/** Then only a drift is healed, or nothing but defaults differ: no new batch. */
function sameText(manifest: Manifest, live: ApiObject): boolean {
  const record = withLastApplied(manifest).metadata.annotations?.[LAST_APPLIED] ?? "";
  return isDeepStrictEqual(JSON.parse(record), lastApplied(live));
}

function withBatch(patch: MergePatch, batch: string): MergePatch {
  const metadata = (patch.metadata ?? {}) as { annotations?: object };
  return { ...patch, metadata: { ...metadata, annotations: { ...metadata.annotations, [BATCH_ANNOTATION]: batch } } };
}

/** Apply over an ObjectClient, for objects of Davit's kinds. */
export function overObjectClient(client: ObjectClient, fieldManager: string): ApplyClient {
  const at = ({ kind, metadata: { name, namespace = "default" } }: Manifest) => ({
    kind: kind as Kind,
    ref: { name, namespace },
  });
  return {
    get: (manifest) => {
      const { kind, ref } = at(manifest);
      return client.get(kind, ref);
    },
    create: (manifest) => client.create(manifest.kind as Kind, manifest as unknown as New<Kind>, { fieldManager }),
    patch: (manifest, patch) => {
      const { kind, ref } = at(manifest);
      return client.patch(kind, ref, patch, { fieldManager });
    },
  };
}
