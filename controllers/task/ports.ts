import type { NetworkBinding, TaskContainer } from "../../api/types.gen.js";

const EVERY_ADDRESS = new Set(["0.0.0.0", "::", ""]);

/** For people: `10.0.0.7:32768→80/tcp`, comma-separated; the machine's address stands for "every address". */
export function portsColumn(containers: readonly TaskContainer[], address: string): string {
  const seen = new Set<string>();
  for (const { networkBindings } of containers) {
    for (const binding of networkBindings) seen.add(portText(binding, address));
  }
  return [...seen].join(",");
}

function portText({ bindIP, hostPort, containerPort, protocol }: NetworkBinding, address: string): string {
  const host = EVERY_ADDRESS.has(bindIP) ? address : bindIP;
  return `${host.includes(":") ? `[${host}]` : host}:${hostPort}→${containerPort}/${protocol}`;
}
