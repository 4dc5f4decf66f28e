import { probeSchema, type ProbeSpec } from "../../src/catalogue/probe.ts";
import type { Container } from "../../src/host/containers.ts";
import type { ProbeContext } from "../../src/probes/context.ts";

/** A healthy container of the service `web` in the project `app`, but for what is given. */
export function container(changes: Partial<Container> = {}): Container {
  return {
    id: "c1",
    name: "app_web",
    project: "app",
    service: "web",
    isOneOff: false,
    image: "sha256:1",
    user: "1000:1000",
    status: "running",
    exitCode: 0,
    wasOutOfMemory: false,
    restarts: 0,
    startedAt: 0,
    health: "healthy",
    memoryLimit: 1024 ** 3,
    networks: [{ name: "app_internal", address: "172.20.0.2" }],
    ports: [{ protocol: "tcp", address: "127.0.0.1", port: 8080 }],
    log: { driver: "local", isLimited: true },
    volumes: [{ target: "/data" }],
    ...changes,
  };
}

/** A probe as a manifest declares it. */
export function probeOf(declared: object): ProbeSpec {
  return probeSchema.parse({ id: "one", title: "it works", hint: "restart it", ...declared });
}

/** ProbeContext that reach nothing, with a clock that only `pause` moves. */
export function context(changes: Partial<ProbeContext> = {}): ProbeContext {
  let time = 0;
  const answer = { text: "", failure: "none", said: "", printed: "", code: 0 } as const;
  return {
    lookup: (name) => ({ KEY: "topsecret", PROBE_NAME: "probe_1", URL: "http://here:1/" })[name],
    timeoutMs: 1000,
    now: () => time,
    pause: async (ms) => {
      time += ms;
      await Promise.resolve();
    },
    request: async () => Promise.resolve({ problem: "ECONNREFUSED" }),
    connects: async () => Promise.resolve("ECONNREFUSED"),
    sql: async () => Promise.resolve({ problem: "ECONNREFUSED", message: "nobody is there", at: undefined }),
    inside: async () => Promise.resolve(answer),
    beside: async () => Promise.resolve(answer),
    guard: () => () => undefined,
    elsewhere: "other_network",
    ...changes,
  };
}
