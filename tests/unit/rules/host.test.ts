import { describe, expect, it } from "vitest";

import type { EngineFacts, HostFacts, Needs } from "../../../src/rules/host-facts.ts";
import { checkHost, type HostSubject } from "../../../src/rules/host.ts";

const GIB = 1024 ** 3;
const NOW = Date.parse("2026-11-27T12:00:00Z");

const FACTS: HostFacts = {
  platform: "linux",
  arch: "x64",
  kernel: "6.1",
  node: "v20",
  cores: 4,
  memory: 32 * GIB,
  cpuFlags: new Set(["avx2"]),
  isSelinuxEnforcing: false,
  isWsl: false,
  proxies: [],
  engineVariables: [],
  now: NOW,
  kernelSettings: new Map([["vm.max_map_count", 65_530]]),
  disk: { free: 100 * GIB, type: 0xef_53 },
};

const ENGINE: EngineFacts = {
  version: "29.1.0",
  compose: "2.40.0",
  memory: 32 * GIB,
  cgroup: "2",
  missingLimits: [],
  isRootless: false,
  hasProxy: false,
  time: NOW,
  disk: { free: 100 * GIB, type: 0xef_53 },
  openFiles: 1_048_576,
  images: new Set(["a:1"]),
  published: new Set(["tcp/6333"]),
};

const NEEDS: Needs = {
  frameworks: 2,
  memory: 8 * 1024,
  cpu: [
    { service: "store", arch: "x64", flags: ["avx2"] },
    { service: "store", arch: "arm64", flags: ["atomics"] },
  ],
  blockStorage: ["vectors"],
  kernel: [{ service: "vectors", name: "vm.max_map_count", least: 65_530 }],
  openFiles: 262_144,
  images: ["a:1"],
  listening: ["tcp/6333"],
};

interface Changes {
  facts?: Partial<HostFacts>;
  engine?: Partial<EngineFacts>;
  none?: HostSubject["engine"] & { problem: string };
  needs?: Partial<Needs>;
  root?: string;
}

function outcomes({ facts, engine, none, needs, root = "/srv/frameworks" }: Changes = {}): string[] {
  return checkHost({
    facts: { ...FACTS, ...facts },
    engine: none ?? { ...ENGINE, ...engine },
    needs: { ...NEEDS, ...needs },
    root,
  })
    .filter(({ outcome }) => outcome !== "pass")
    .map(({ id, outcome }) => `${id} ${outcome}`);
}

const BROKEN: readonly [string, Changes][] = [
  ["engine-version fail", { engine: { version: "19.03.15" } }],
  ["compose fail", { engine: { compose: undefined } }],
  ["compose fail", { engine: { compose: "2.17.3" } }],
  ["compose fail", { engine: { compose: "v2.24.3" } }],
  ["limits fail", { engine: { missingLimits: ["memory"] } }],
  ["memory fail", { needs: { memory: 40 * 1024 } }],
  ["memory fail", { engine: { memory: 2 * GIB } }],
  ["disk fail", { facts: { disk: { free: 0.5 * GIB, type: 1 } } }],
  ["disk fail", { engine: { disk: { free: GIB, type: 1 } } }],
  ["file-system fail", { engine: { disk: { free: 100 * GIB, type: 0x69_69 } } }],
  ["cpu fail", { facts: { cpuFlags: new Set(["sse"]) } }],
  ["cpu fail", { facts: { arch: "arm64", cpuFlags: new Set(["asimd"]) } }],
  ["cpu unknown", { facts: { cpuFlags: undefined } }],
  ["kernel fail", { facts: { kernelSettings: new Map([["vm.max_map_count", 1000]]) } }],
  ["kernel unknown", { facts: { kernelSettings: new Map() } }],
  ["open-files fail", { engine: { openFiles: 1024 } }],
  ["open-files unknown", { engine: { openFiles: undefined } }],
  ["ports fail", { needs: { listening: ["tcp/6334"] } }],
  ["images unknown", { needs: { images: ["a:1", "b:1"] } }],
  ["proxy fail", { facts: { proxies: ["HTTPS_PROXY"] } }],
  ["clock fail", { engine: { time: NOW - 60_000 } }],
  ["clock fail", { facts: { now: 0 }, engine: { time: 0 } }],
  ["selinux unknown", { facts: { isSelinuxEnforcing: true } }],
  ["wsl fail", { facts: { isWsl: true }, root: "/mnt/c/frameworks" }],
];

describe("the checks of a host", () => {
  it("find nothing on one that is fit", () => {
    expect(outcomes()).toEqual([]);
    expect(outcomes({ engine: { compose: "2.24.4", version: "20.10.24+dfsg1" } })).toEqual([]);
    expect(outcomes({ facts: { arch: "arm64", cpuFlags: new Set(["atomics"]) } })).toEqual([]);
    expect(outcomes({ facts: { proxies: ["HTTP_PROXY"] }, engine: { hasProxy: true } })).toEqual([]);
  });

  it.each(BROKEN)("find %s", (wanted, changes) => {
    expect(outcomes(changes)).toEqual([wanted]);
  });

  it.each(["timeout", "stopped"] as const)(
    "say what names another engine where that one does not answer: %s",
    (problem) => {
      const facts = { ...FACTS, engineVariables: ["DOCKER_HOST"] };
      const [found] = checkHost({ facts, engine: { problem, said: "no" }, needs: NEEDS, root: "/" });
      expect(found?.message).toContain("where DOCKER_HOST says");
      expect(found?.fix).toContain("unset DOCKER_HOST");
    },
  );

  it.each(["missing", "timeout", "denied", "stopped", "context", "other"] as const)(
    "say what to do without an engine: %s",
    (problem) => {
      const found = checkHost({ facts: FACTS, engine: { problem, said: "no" }, needs: NEEDS, root: "/" });
      expect(found[0]).toMatchObject({ id: "engine", outcome: "fail", fix: expect.stringMatching(/\w/) });
      // What needs the engine cannot be told; the rest can.
      expect(found.filter(({ outcome }) => outcome === "pass").map(({ id }) => id)).toEqual(
        expect.arrayContaining(["memory", "cpu", "kernel", "proxy"]),
      );
      expect(found.filter(({ outcome, fix }) => outcome === "fail" && fix === "")).toEqual([]);
    },
  );
});
