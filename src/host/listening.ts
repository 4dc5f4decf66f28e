import { createServer } from "node:net";

import { isErrno } from "../lib/errors.ts";
import type { Protocol } from "../ports/claim.ts";

export type PortState = "free" | "listening" | "unknown";

/**
 * Whether something on this host listens on a port, found by binding it for a moment.
 * One bind of the wildcard address also fails for a port that is held on 127.0.0.1 or [::] on Linux.
 * @returns `unknown` when the bind fails for another reason than "in use" (a port below 1024
 *   without the right to it is no clash)
 */
export async function portState(protocol: Protocol, port: number): Promise<PortState> {
  if (protocol === "tcp") return bindTcp(port);
  const first = await bindUdp(port, "udp6");
  // A host without IPv6 refuses the address itself.
  const state = first === "unsupported" ? await bindUdp(port, "udp4") : first;
  return state === "unsupported" ? "unknown" : state;
}

export async function isListening(protocol: Protocol, port: number): Promise<boolean> {
  return (await portState(protocol, port)) === "listening";
}

/** Without an address, Node takes [::], or 0.0.0.0 on a host without IPv6; naming one costs it some milliseconds. */
function bindTcp(port: number): Promise<PortState> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      resolve(isErrno(error, "EADDRINUSE") ? "listening" : "unknown");
    });
    server.listen({ port, exclusive: true }, () => {
      server.close(() => {
        resolve("free");
      });
    });
  });
}

async function bindUdp(port: number, type: "udp4" | "udp6"): Promise<PortState | "unsupported"> {
  // Hardly any service publishes UDP.
  const { createSocket } = await import("node:dgram");
  return new Promise((resolve) => {
    const socket = createSocket({ type, reuseAddr: false });
    socket.once("error", (error) => {
      if (isErrno(error, "EADDRINUSE")) resolve("listening");
      else resolve(isErrno(error, "EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL") ? "unsupported" : "unknown");
    });
    socket.bind({ port, address: type === "udp6" ? "::" : "0.0.0.0", exclusive: true }, () => {
      socket.close(() => {
        resolve("free");
      });
    });
  });
}
