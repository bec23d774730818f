import { isObject } from "../json.js";

/** Finds values in an object; in the order of the document. */
export type JsonPath = (root: unknown) => unknown[];
type Step = (value: unknown) => unknown[];

/** The part of Kubernetes' JSONPath that printer columns use: `.a.b`, `.a\.b`, `['a']`, `[0]`, `[-1]`, `[*]`,
 *  `[?(@.type=="Ready")]`. @throws on anything else */
export function compileJsonPath(text: string): JsonPath {
  const steps: Step[] = [];
  let rest = text.replace(/^\{(.*)\}$/, "$1");
  while (rest !== "") {
    const [length, step] = nextStep(rest, text);
    steps.push(step);
    rest = rest.slice(length);
  }
  return (root) => steps.reduce((values, step) => values.flatMap(step), [root]);
}

function nextStep(rest: string, whole: string): [length: number, step: Step] {
  const name = /^\.((?:\\.|[^.[\\])+)/.exec(rest);
  if (name) return [name[0].length, property((name[1] ?? "").replace(/\\(.)/g, "$1"))];
  const quoted = /^\['([^']*)'\]/.exec(rest);
  if (quoted) return [quoted[0].length, property(quoted[1] ?? "")];
  const every = /^\.?\[\*\]/.exec(rest);
  if (every) return [every[0].length, (value) => (isObject(value) || Array.isArray(value) ? Object.values(value) : [])];
  const index = /^\[(-?\d+)\]/.exec(rest);
  if (index)
    return [index[0].length, (value) => present(Array.isArray(value) ? value.at(Number(index[1])) : undefined)];
  const filter = /^\[\?\(@((?:\.(?:\\.|[\w-])+)+)\s*(==|!=)\s*(?:"([^"]*)"|'([^']*)'|([\w.-]+))\s*\)\]/.exec(rest);
  if (filter) return [filter[0].length, filtered(filter)];
  throw new Error(`JSONPath ${JSON.stringify(whole)}: cannot read ${JSON.stringify(rest)}`);
}

const present = (value: unknown) => (value === undefined || value === null ? [] : [value]);

const property =
  (name: string): Step =>
  (value) =>
    isObject(value) && Object.hasOwn(value, name) ? present(value[name]) : [];

function filtered([, path = "", operator, double, single, bare]: RegExpExecArray): Step {
  const find = compileJsonPath(path);
  const wanted = double ?? single ?? bare;
  return (value) =>
    Array.isArray(value)
      ? value.filter((item) => find(item).some((v) => String(v) === wanted) === (operator === "=="))
      : [];
}
