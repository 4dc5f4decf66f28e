import { describe, expect, it } from "vitest";

import { stackOf } from "../../../src/compose/stack.ts";
import type { Container, Inside } from "../../../src/host/containers.ts";
import { containerProbes, servicesNotReady, type StackContext } from "../../../src/probes/containers.ts";
import { container } from "../../helpers/probes.ts";

const COMPOSE = `services:
  web:
    image: web:1
    restart: unless-stopped
    ports: ["127.0.0.1:8080:80"]
    networks: [internal]
  once: { image: web:1, restart: "no" }
  job: { image: web:1 }
  later:
    image: web:1
    profiles: [debug]
    depends_on:
      job: { condition: service_completed_successfully }
      web: { condition: service_completed_successfully }
  proxied: { image: web:1, profiles: [proxy], networks: [proxy] }
networks:
  proxy: { external: true }
  internal: { name: app_internal }
`;

interface Case {
  web?: Partial<Container> | "none";
  others?: readonly Container[];
  inside?: Inside;
  memory?: number;
  listening?: boolean;
}

/** What the probes of `web` say, but for those that pass. */
async function problems({ web = {}, others = [], inside, memory = 0.5, listening = false }: Case): Promise<string[]> {
  const about: StackContext = {
    compose: stackOf([{ file: "compose.yaml", text: COMPOSE }], () => undefined, "/app").compose,
    project: "app",
    profiles: new Set(["proxy"]),
    now: () => 90_000,
    memoryVariable: (service) => (service === "web" ? "WEB_MEMORY_LIMIT" : undefined),
    containers: [
      container({ id: "c3", service: "proxied", ports: [], volumes: [], networks: [{ name: "proxy", address: "" }] }),
      container({ id: "c5", service: "job", status: "exited", health: undefined, ports: [] }),
      ...(web === "none" ? [] : [container(web)]),
      container({ id: "c2", service: "once", status: "exited", health: undefined, ports: [] }),
      ...others,
    ],
    memory: async ({ service }) => Promise.resolve(service === "web" ? memory : 0.1),
    inside: async ({ service }) =>
      Promise.resolve(
        (service === "web" ? inside : undefined) ?? {
          disks: new Map([["/data", { size: 100 * GIB, free: 50 * GIB }]]),
          kills: 0,
        },
      ),
    isListening: async () => Promise.resolve(listening),
    limitMs: 1000,
  };
  const probes = containerProbes(about);
  expect(new Set(probes.map(({ service }) => service))).toEqual(new Set(["web", "once", "job", "proxied"]));
  const said = await Promise.all(probes.map(async ({ id, service, run }) => ({ id, service, ...(await run()) })));
  expect(said.filter(({ service, outcome }) => service !== "web" && outcome !== "pass")).toEqual([]);
  const found = said.filter(({ outcome }) => outcome !== "pass");
  expect(found.filter(({ hint }) => hint === "")).toEqual([]);
  return found.map(({ id, outcome, message }) => `${outcome} ${id}: ${message}`);
}

const GIB = 1024 ** 3;

describe("probes of every container", () => {
  it("pass for one that is fine, and for a one-shot that has ended", async () => {
    expect(await problems({})).toEqual([]);
    expect(await problems({ web: { restarts: 3 } })).toEqual([]);
    const replica = container({ id: "c4", ports: [] });
    expect(await problems({ others: [replica] })).toEqual([]);
  });

  it.each<[Case, string[]]>([
    [{ web: "none" }, ["fail state: has no container", "unknown ports: was not asked, as web is not running"]],
    [{ web: { status: "paused" } }, ["fail state: is paused"]],
    [
      { web: { status: "exited", exitCode: 137, wasOutOfMemory: true, ports: [] } },
      [
        "fail state: is not running (exited, exit code 137; the kernel killed it, as it reached its memory limit)",
        "unknown ports: was not asked, as web is not running",
      ],
    ],
    // Only what is not started again has done its work by ending.
    [
      { web: { status: "exited", exitCode: 0, ports: [] } },
      ["fail state: is not running (exited, exit code 0)", "unknown ports: was not asked, as web is not running"],
    ],
    [{ web: { status: "restarting", exitCode: 3 } }, ["fail state: starts again and again; it ended with exit code 3"]],
    // What `docker compose run` made is not the service; of several containers, each counts.
    [
      { web: { isOneOff: true, ports: [] } },
      ["fail state: has no container", "unknown ports: was not asked, as web is not running"],
    ],
    [
      { others: [container({ id: "c4", ports: [], status: "exited", exitCode: 1 })] },
      ["fail state: is not running (exited, exit code 1)"],
    ],
    [
      { web: { restarts: 500, startedAt: 80_000 } },
      ["fail state: runs for 10 seconds only; the engine has restarted it 500 times"],
    ],
    [{ web: { health: "starting" } }, ["fail state: is still starting"]],
    [{ web: { health: "unhealthy" } }, ["fail state: its health check fails (unhealthy)"]],
    [{ web: { networks: [] } }, ["fail networks: is not connected to app_internal"]],
    [
      {
        web: {
          networks: [
            { name: "app_internal", address: "" },
            { name: "shop", address: "" },
          ],
        },
      },
      ["fail networks: is also connected to shop, which its file does not name"],
    ],
    [{ memory: 0.96 }, ["fail memory: uses 96% of its 1.0 GiB"]],
    [
      { inside: { disks: new Map([["/data", { size: 16 * 1024 ** 2, free: 4096 }]]), kills: 2 } },
      [
        "fail memory: the kernel has killed 2 of its processes since it started, as it reached its memory limit",
        "fail disk: only 4 KiB of 16 MiB is free at /data",
      ],
    ],
    // A twentieth of a large disk is a lot.
    [{ inside: { disks: new Map([["/data", { size: 1000 * GIB, free: 20 * GIB }]]), kills: 0 } }, []],
    [
      { inside: { disks: new Map(), kills: undefined } },
      ["unknown disk: how much space is left at /data cannot be asked inside it"],
    ],
    [
      { web: { log: { driver: "json-file", isLimited: false } } },
      ["fail log: its log grows until the disk is full: the driver json-file has no max-size"],
    ],
    [
      { web: { ports: [{ protocol: "tcp", address: "0.0.0.0", port: 8080 }] } },
      ["fail ports: is bound to 0.0.0.0:8080, which its file does not say (any more)"],
    ],
    [
      {
        web: {
          ports: [
            { protocol: "tcp", address: "127.0.0.1", port: 8080 },
            { protocol: "tcp", address: "127.0.0.1", port: 9090 },
          ],
        },
      },
      ["fail ports: is bound to 127.0.0.1:9090, which its file does not say (any more)"],
    ],
    [{ web: { ports: [] } }, ["fail ports: is not bound to 127.0.0.1:8080, although its file says so"]],
    [{ web: { ports: [] }, listening: true }, ["fail ports: 127.0.0.1:8080 is taken by another program of this host"]],
    [
      { web: { ports: [] }, others: [container({ id: "c9", name: "stranger", project: "shop" })] },
      ["fail ports: 127.0.0.1:8080 belongs to the container stranger of shop"],
    ],
  ])("say what is wrong: %j", async (given, expected) => {
    expect(await problems(given)).toEqual(expected);
  });

  it("are those of the profiles that are switched on", () => {
    const state = { project: "app", containers: [], now: () => 0 };
    const { compose } = stackOf([{ file: "compose.yaml", text: COMPOSE }], () => undefined, "/app");
    const count = (...profiles: string[]): number =>
      servicesNotReady({ ...state, compose, profiles: new Set(profiles) });
    expect([count(), count("debug"), count("debug", "proxy"), count("*"), count("none")]).toEqual([3, 4, 5, 5, 3]);
  });
});
