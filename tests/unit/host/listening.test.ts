import { createSocket } from "node:dgram";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";

import { portState } from "../../../src/host/listening.ts";

function listen(host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(undefined);
    });
    server.listen({ port: 0, host }, () => {
      resolve((server.address() as AddressInfo).port);
    });
    onTestFinished(() => {
      server.close();
    });
  });
}

describe("portState", () => {
  it.each(["127.0.0.1", "0.0.0.0", "::", "::1", "127.0.0.2"])("finds what listens on %s", async (host) => {
    const port = await listen(host);
    // Without IPv6 on this host there is nothing to find there.
    if (port === undefined) expect(host).toContain("::");
    else expect(await portState("tcp", port)).toBe("listening");
  });

  it("finds a UDP socket, and only on UDP", async () => {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => {
      socket.bind(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => {
      socket.close();
    });
    const { port } = socket.address();
    expect(await portState("udp", port)).toBe("listening");
    expect(await portState("tcp", port)).toBe("free");
  });

  it("leaves the port free again", async () => {
    const port = await listen("127.0.0.1");
    expect(port).toBeDefined();
    const free = (port ?? 0) + 1;
    expect([await portState("tcp", free), await portState("tcp", free)]).toEqual(["free", "free"]);
  });
});
