import { badRequest } from "../errors.js";
import { labelValueError, qualifiedNameError } from "../validation/names.js";

type Labels = Readonly<Record<string, string>>;
export type LabelPredicate = (labels: Labels) => boolean;

/** The whole grammar of Kubernetes' label selectors: `a`, `!a`, `a=b`, `a==b`, `a!=b`, `a in (b,c)`,
 *  `a notin (b,c)`, joined by commas. undefined for the empty selector. @throws 400 */
export function parseLabelSelector(text: string): LabelPredicate | undefined {
  const tokens = tokenize(text);
  if (tokens.length === 0) return undefined;
  const parser = new Parser(text, tokens);
  const requirements = parser.requirements();
  return (labels) => requirements.every((matches) => matches(labels));
}

const SYMBOL = /\s*(==|!=|=|!|,|\(|\)|[^\s=!,()]+)/gy;

function tokenize(text: string): string[] {
  return [...text.matchAll(SYMBOL)].map(([, token = ""]) => token);
}

class Parser {
  #at = 0;
  constructor(
    readonly text: string,
    readonly tokens: readonly string[],
  ) {}

  requirements(): LabelPredicate[] {
    const all = [this.#requirement()];
    while (this.#peek() !== undefined) {
      this.#expect(",");
      all.push(this.#requirement());
    }
    return all;
  }

  #requirement(): LabelPredicate {
    if (this.#peek() === "!") {
      this.#next();
      const key = this.#key();
      return (labels) => !Object.hasOwn(labels, key);
    }
    const key = this.#key();
    const operator = this.#peek();
    if (operator === undefined || operator === ",") return (labels) => Object.hasOwn(labels, key);
    this.#next();
    switch (operator) {
      case "=":
      case "==":
        return isOneOf(key, new Set([this.#value()]));
      case "!=":
        return isNoneOf(key, new Set([this.#value()]));
      case "in":
        return isOneOf(key, this.#values());
      case "notin":
        return isNoneOf(key, this.#values());
      default:
        throw this.#error(`found '${operator}', expected: in, notin, =, ==, !=`);
    }
  }

  #values(): ReadonlySet<string> {
    this.#expect("(");
    const values = new Set([this.#value()]);
    while (this.#peek() === ",") {
      this.#next();
      values.add(this.#value());
    }
    this.#expect(")");
    return values;
  }

  /** A value may be empty: then the next token is what follows it. */
  #value(): string {
    const token = this.#peek();
    if (token === undefined || token === "," || token === ")") return "";
    this.#next();
    const error = labelValueError(token);
    if (error) throw this.#error(`'${token}': ${error}`);
    return token;
  }

  #key(): string {
    const token = this.#next();
    const error = qualifiedNameError(token);
    if (error) throw this.#error(`'${token}': ${error}`);
    return token;
  }

  #peek(): string | undefined {
    return this.tokens[this.#at];
  }
  #next(): string {
    return this.tokens[this.#at++] ?? "";
  }
  #expect(token: string): void {
    const found = this.#next();
    if (found !== token) throw this.#error(`found '${found}', expected: '${token}'`);
  }
  #error(why: string) {
    return badRequest(`unable to parse requirement: ${why} in label selector ${JSON.stringify(this.text)}`);
  }
}

const isOneOf =
  (key: string, values: ReadonlySet<string>): LabelPredicate =>
  (labels) =>
    Object.hasOwn(labels, key) && values.has(labels[key] ?? "");
/** As in Kubernetes, an object without the label matches. */
const isNoneOf =
  (key: string, values: ReadonlySet<string>): LabelPredicate =>
  (labels) =>
    !Object.hasOwn(labels, key) || !values.has(labels[key] ?? "");
