import { createSocket } from "node:dgram";

/** This machine's address on the way to a server; undefined if there is no way. Sends nothing: a UDP socket is only
 *  given a destination, for which the kernel chooses the source. */
export function addressTowards(server: string): Promise<string | undefined> {
  const { hostname, port } = new URL(server);
  const host = hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const end = (address?: string) => {
      socket.close();
      resolve(address);
    };
    socket.once("error", () => end());
    try {
      socket.connect(Number(port || 443), host, () => end(socket.address().address));
    } catch {
      end();
    }
  });
}
