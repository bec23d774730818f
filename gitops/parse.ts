import { describePlace, importDocuments, type Place } from "../api/import/index.js";
import { NAMESPACE } from "../api/import/manifest.js";
import { type LoadedFile, objectId } from "./plan.js";

/** One file's text to the objects it declares: YAML manifests, or bare ECS JSON. What can't be taken is an error naming
 *  file, document and field, and nothing of that document is taken.
 *  @param namespace of documents that name none */
export function parseManifest(path: string, text: string, namespace = "default"): LoadedFile {
  const { objects, notes, errors } = importDocuments(text, path);
  return {
    path,
    objects: objects.map(({ manifest: bare, place, restart }) => {
      const own = bare.metadata.namespace ?? (bare.kind === NAMESPACE ? undefined : namespace);
      const manifest = { ...bare, metadata: { ...(own !== undefined && { namespace: own }), ...bare.metadata } };
      const id = objectId(manifest.kind, own ?? "", manifest.metadata.name);
      return { id, manifest, origin: originOf(place), where: whereOf(place), ...(restart && { restart }) };
    }),
    errors: errors.map(describePlace),
    notes: notes.map(describePlace),
  };
}

const originOf = ({ file, document }: Place): string => `${file}#${document}`;
const whereOf = ({ file, document, line }: Place): string => `${file}: document ${document}, line ${line}`;
