// A Davit may run for longer than its certificate is good.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../failure.js";
import type { ChildName } from "./state-file.js";

export interface CertificateOptions {
  /** Of CA, certificate and keys. */
  folder: string;
  /** What the certificate covers, beside this machine's own names. */
  names: readonly string[];
  /** Who shows it, and reads it only when starting. */
  shownBy: readonly ChildName[];
  restart(name: ChildName): Promise<void>;
  /** Milliseconds since the epoch. */
  now: () => number;
  say(line: string): void;
  /** @default 12 hours */
  everyMs?: number;
}

/** Looks now and then, and makes another one near its end. @returns the way to stop that */
export function keepCertificate(options: CertificateOptions): () => void {
  const { everyMs = 12 * 60 * 60_000, say } = options;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      await renewIfDue(options);
    } catch (error) {
      say(`The certificate is near its end and could not be renewed: ${messageOf(error)}.`);
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs).unref();
  return () => clearInterval(timer);
}

async function renewIfDue({ folder, names, shownBy, restart, now, say }: CertificateOptions): Promise<void> {
  const { ensurePki, isNearEnd } = await import("../../apiserver/pki.js");
  if (!isNearEnd(readFileSync(join(folder, "tls.crt"), "utf8"), now())) return;
  await ensurePki({ folder, now, extraNames: names });
  say(`The certificate is renewed; ${shownBy.join(" and ")} start again with it.`);
  for (const name of shownBy) await restart(name);
}
