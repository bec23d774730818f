import type { Disk } from "./diagnosis.js";

const GIB = 1024 ** 3;
const MIN_FREE_SHARE = 0.1;

/** `0.4 GiB of 20.0 GiB free (2 %).`; undefined while there is enough. */
export function messageOfDisk({ totalBytes, freeBytes }: Pick<Disk, "totalBytes" | "freeBytes">): string | undefined {
  if (totalBytes === 0 || (freeBytes >= GIB && freeBytes >= MIN_FREE_SHARE * totalBytes)) return undefined;
  const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;
  return `${gib(freeBytes)} of ${gib(totalBytes)} free (${Math.floor((100 * freeBytes) / totalBytes)} %).`;
}
