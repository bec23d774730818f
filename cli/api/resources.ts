// What a kind may be called on the command line, and where the server has it.
import { KINDS, type Kind } from "../../api/types.gen.js";
import { UsageError } from "../failure.js";

export interface Resource {
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  namespaced: boolean;
  /** `/apis/davit.dev/v1` or `/api/v1`. */
  base: string;
  /** As kubectl names an object: `task.davit.dev`. */
  qualified: string;
}

const davitKind = (kind: Kind): Resource => ({
  kind,
  ...KINDS[kind],
  namespaced: true,
  base: "/apis/davit.dev/v1",
  qualified: `${KINDS[kind].singular}.davit.dev`,
});

const NAMESPACE: Resource = {
  kind: "Namespace",
  singular: "namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  namespaced: false,
  base: "/api/v1",
  qualified: "namespace",
};

/** Davit's kinds, and the one of Kubernetes' own that its server has. */
export const RESOURCES: readonly Resource[] = [...(Object.keys(KINDS) as Kind[]).map(davitKind), NAMESPACE];

/** Names that people type for a machine and for a running thing. */
const ALIASES: Readonly<Record<string, string>> = {
  machine: "containerinstance",
  machines: "containerinstance",
  instance: "containerinstance",
  instances: "containerinstance",
  svc: "service",
  td: "taskdefinition",
};

/** @throws UsageError naming the kinds there are */
export function findResource(typed: string): Resource {
  const name = typed.toLowerCase().replace(/\.davit\.dev$/, "");
  const wanted = ALIASES[name] ?? name;
  const found = RESOURCES.find(
    ({ plural, singular, shortNames }) => wanted === plural || wanted === singular || shortNames.includes(wanted),
  );
  if (found) return found;
  throw new UsageError(
    `there is no kind ${JSON.stringify(typed)}; there are ${RESOURCES.map(({ plural }) => plural).join(", ")}.`,
  );
}

export const findResourceOfKind = (kind: string): Resource | undefined => RESOURCES.find((one) => one.kind === kind);

/** The path of a collection, or of one object in it. @param namespace all of them if undefined */
export function pathOf({ base, plural, namespaced }: Resource, namespace: string | undefined, name?: string): string {
  const scope = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${base}${scope}/${plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}
