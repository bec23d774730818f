// Where Davit listens, and under which address other machines reach it.
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { Failure, UsageError } from "../failure.js";

export interface Binding {
  /** What the API and nats-server listen on. */
  host: string;
  /** Where this machine's own processes reach them. */
  local: string;
  /** How other machines reach them; absent where only this machine can. */
  advertised?: string;
  /** What the certificate covers, beside this machine's own names. */
  names: readonly string[];
}

export interface BindingOptions {
  bind: string;
  advertise?: string;
  tlsSan?: readonly string[];
}

/** @param interfaces as `networkInterfaces()` gives them
 *  @throws Failure in one sentence with what to do */
export function bindingOf(
  { bind, advertise, tlsSan = [] }: BindingOptions,
  interfaces: () => ReturnType<typeof networkInterfaces> = networkInterfaces,
): Binding {
  const host = bind === "localhost" ? "127.0.0.1" : bind.replace(/^\[|\]$/g, "");
  if (isIP(host) === 0)
    throw new UsageError(`--bind ${bind} is no address: give one of this machine's, or 0.0.0.0 for all of them.`);
  for (const name of [...tlsSan, ...(advertise === undefined ? [] : [advertise])]) checkName(name);
  if (isLoopback(host)) {
    if (advertise !== undefined)
      throw new UsageError(
        `--advertise ${advertise} is of no use while Davit listens on ${host} only: add --bind 0.0.0.0, or one address of this machine.`,
      );
    return { host, local: host, names: named([host, ...tlsSan]) };
  }
  const all = isUnspecified(host);
  const advertised = advertise ?? (all ? firstAddress(host, interfaces()) : host);
  const local = all ? (isIP(host) === 6 ? "::1" : "127.0.0.1") : host;
  return { host, local, advertised, names: named([...(all ? [] : [host]), advertised, ...tlsSan]) };
}

export const isLoopback = (host: string): boolean => host === "::1" || host === "localhost" || /^127\./.test(host);
const isUnspecified = (host: string): boolean => host === "0.0.0.0" || /^[0:]+$/.test(host);
const named = (names: readonly string[]): string[] => [...new Set(names)];

/** As it stands in a URL. */
export const inUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

function checkName(name: string): void {
  if (isIP(name) === 0 && !/^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*$/.test(name))
    throw new UsageError(`${JSON.stringify(name)} is no host name and no address: write it without scheme and port.`);
}

/** IPv4 before IPv6, and no address that only means something on one link. */
function firstAddress(host: string, interfaces: ReturnType<typeof networkInterfaces>): string {
  const outside = Object.values(interfaces)
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address));
  const found = outside.find(({ family }) => family === "IPv4") ?? (isIP(host) === 6 ? outside[0] : undefined);
  if (found === undefined)
    throw new Failure("this machine has no address that others could reach: name one with --advertise ADDR.");
  return found.address;
}
