import { createSocket } from "node:dgram";
import { createServer } from "node:net";

import { isErrno } from "../errors.ts";
import type { Protocol } from "../ports/claim.ts";

export type PortState = "free" | "listening" | "unknown";

/**
 * Whether something on this host listens on a port, found by binding it for a moment.
 * One bind of the wildcard address also fails for a port that is held on 127.0.0.1 or [::] on Linux.
 * @returns `unknown` when the bind fails for another reason than "in use" (a port below 1024
 *   without the right to it is no clash)
 */
export async function portState(protocol: Protocol, port: number): Promise<PortState> {
  const first = await bind(protocol, port, "::");
  // A host without IPv6 refuses the address itself.
  return first === "unsupported" ? known(await bind(protocol, port, "0.0.0.0")) : first;
}

export async function isListening(protocol: Protocol, port: number): Promise<boolean> {
  return (await portState(protocol, port)) === "listening";
}

function known(result: PortState | "unsupported"): PortState {
  return result === "unsupported" ? "unknown" : result;
}

function bind(protocol: Protocol, port: number, host: string): Promise<PortState | "unsupported"> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => {
      if (isErrno(error, "EADDRINUSE")) resolve("listening");
      else resolve(isErrno(error, "EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL") ? "unsupported" : "unknown");
    };
    if (protocol === "udp") {
      const socket = createSocket({ type: host === "::" ? "udp6" : "udp4", reuseAddr: false });
      socket.once("error", failed);
      socket.bind({ port, address: host, exclusive: true }, () => {
        socket.close(() => {
          resolve("free");
        });
      });
      return;
    }
    const server = createServer();
    server.once("error", failed);
    server.listen({ port, host, exclusive: true }, () => {
      server.close(() => {
        resolve("free");
      });
    });
  });
}
