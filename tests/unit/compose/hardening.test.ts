import { describe, expect, it } from "vitest";

import { HARDENING_RULES, hardeningFindings } from "../../../src/compose/hardening.ts";
import { composeModel } from "../../../src/compose/model.ts";

const HARDENED = {
  image: "x:1",
  user: "1000:1000",
  cap_drop: ["ALL"],
  security_opt: ["no-new-privileges:true"],
  restart: "unless-stopped",
  deploy: { resources: { limits: { memory: "1g", cpus: "1.0", pids: 64 } } },
  logging: { driver: "local", options: { "max-size": "10m", "max-file": "3" } },
  healthcheck: { test: ["CMD", "true"], interval: "5s" },
  ports: ["127.0.0.1:8080:80", { target: 81, published: "8081", host_ip: "::1" }],
  volumes: ["data:/data"],
};

function rulesBrokenBy(changes: Record<string, unknown>): string[] {
  const service = Object.fromEntries(Object.entries({ ...HARDENED, ...changes }).filter(([, value]) => value !== null));
  const compose = composeModel({ services: { a: service } });
  if (compose === undefined) throw new Error("not a compose file");
  return hardeningFindings(compose).map(({ rule, service: name }) => `${name}: ${rule}`);
}

/** For each rule: what breaks it, and it alone. `null`: the key is not there. */
const BROKEN: Record<string, readonly Record<string, unknown>[]> = {
  "non-root": [{ user: null }, { user: "root" }, { user: "0:0" }, { user: 0 }],
  "no-capabilities": [{ cap_drop: null }, { cap_drop: ["NET_RAW"] }],
  "no-privileges": [{ privileged: true }, { devices: ["/dev/sda"] }],
  "no-new-privileges": [{ security_opt: null }, { security_opt: ["no-new-privileges:false"] }],
  "own-namespaces": [
    { network_mode: "host" },
    { pid: "host" },
    { ipc: "host" },
    { userns_mode: "host" },
    { cgroup: "host" },
  ],
  limits: [{ deploy: null }, { deploy: { resources: { limits: { memory: "1g", cpus: "1" } } } }],
  "log-rotation": [
    { logging: null },
    { logging: { driver: "local" } },
    { logging: { driver: "local", options: { "max-size": "1m" } } },
  ],
  restart: [{ restart: null }, { restart: "always" }],
  "health-check": [{ healthcheck: null }, { healthcheck: { disable: true } }],
  loopback: [{ ports: ["8080:80"] }, { ports: ["0.0.0.0:8080:80"] }, { ports: [{ target: 80, published: 8080 }] }],
  "no-docker-socket": [
    { volumes: ["/var/run/docker.sock:/s"] },
    { volumes: [{ type: "bind", source: "/run/docker.sock", target: "/s" }] },
  ],
};

describe("the hardening rules", () => {
  it("are content with a hardened service, and with a one-shot that has no health check", () => {
    expect(rulesBrokenBy({})).toEqual([]);
    expect(rulesBrokenBy({ restart: "no", healthcheck: null })).toEqual([]);
    expect(rulesBrokenBy({ privileged: false, ports: ["80"] })).toEqual([]);
  });

  it("have each an example that breaks it", () => {
    expect(Object.keys(BROKEN).toSorted()).toEqual(HARDENING_RULES.map(({ id }) => id).toSorted());
  });

  it.each(Object.entries(BROKEN).flatMap(([rule, examples]) => examples.map((example) => [rule, example] as const)))(
    "%s finds %j",
    (rule, example) => {
      expect(rulesBrokenBy(example)).toEqual([`a: ${rule}`]);
    },
  );
});
