// Kubernetes' rules for names, with its sentences. Each gives the sentence, or undefined if the name is good.

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const whole = (pattern: string) => new RegExp(`^(?:${pattern})$`);
const label = whole(LABEL);
const subdomain = whole(SUBDOMAIN);
const qualified = whole(QUALIFIED);
const labelValue = whole(`(${QUALIFIED})?`);

/** An object's name; one that only begins a generated name may end in a hyphen or dot. */
export function subdomainError(name: string): string | undefined {
  if (name.length > 253) return "must be no more than 253 characters";
  if (subdomain.test(name)) return undefined;
  return (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start " +
    `and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`
  );
}

export function labelNameError(name: string): string | undefined {
  if (name.length > 63) return "must be no more than 63 characters";
  if (label.test(name)) return undefined;
  return (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end " +
    `with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`
  );
}

/** A label's or annotation's key, or a finalizer: `name` or `prefix/name`. */
export function qualifiedNameError(key: string): string | undefined {
  const parts = key.split("/");
  const [name = "", prefix] = parts.reverse();
  if (parts.length > 2)
    return (
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
      `alphanumeric character with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`
    );
  if (prefix === "") return "prefix part must be non-empty";
  const prefixError = prefix === undefined ? undefined : subdomainError(prefix);
  if (prefixError) return `prefix part ${prefixError}`;
  if (name === "") return "name part must be non-empty";
  if (name.length > 63) return "name part must be no more than 63 characters";
  if (qualified.test(name)) return undefined;
  return (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
    `character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`
  );
}

export function labelValueError(value: string): string | undefined {
  if (value.length > 63) return "must be no more than 63 characters";
  if (labelValue.test(value)) return undefined;
  return (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and " +
    `end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${QUALIFIED})?')`
  );
}
