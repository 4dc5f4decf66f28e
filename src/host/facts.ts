import { readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { arch, platform, release } from "node:os";

import type { Disk, HostFacts } from "../rules/host-facts.ts";
import { machineCores, machineMemory } from "./machine.ts";

/**
 * Reads what this host is.
 * @param root absolute path; its disk is looked at
 * @param settings names of settings of the kernel, such as `vm.max_map_count`
 * @param env variables of the process
 */
export function hostFacts(root: string, settings: readonly string[], env: NodeJS.ProcessEnv): HostFacts {
  const setOf = (names: readonly string[]): string[] => names.filter((name) => (env[name] ?? "") !== "");
  return {
    platform: platform(),
    arch: arch(),
    kernel: release(),
    node: process.version,
    cores: machineCores(),
    memory: machineMemory(),
    cpuFlags: cpuFlags(),
    isSelinuxEnforcing: read("/sys/fs/selinux/enforce")?.trim() === "1",
    isWsl: /microsoft/i.test(release()),
    proxies: setOf(["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"]),
    engineVariables: setOf(["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY"]),
    now: Date.now(),
    kernelSettings: new Map(settings.map((name) => [name, kernelSetting(name)])),
    disk: diskOf(root),
  };
}

function cpuFlags(): Set<string> | undefined {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(read("/proc/cpuinfo") ?? "")?.[1];
  return line === undefined ? undefined : new Set(line.split(" "));
}

function kernelSetting(name: string): number | undefined {
  const text = read(`/proc/sys/${name.replaceAll(".", "/")}`)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What a path, or the directory that it will be in, lies on; undefined where it cannot be asked. */
export function diskOf(path: string): Disk | undefined {
  if (path === "") return undefined;
  for (const place of [path, dirname(path)]) {
    try {
      const { bavail, bsize, type } = statfsSync(place);
      return { free: bavail * bsize, type };
    } catch {
      // It is not there, or not for this user to see.
    }
  }
  return undefined;
}

/** The most open files that the engine of this host can give to a container; undefined where nobody may look. */
export function engineOpenFiles(): number | undefined {
  const pid = read("/run/docker.pid")?.trim() ?? "";
  if (!/^\d+$/.test(pid)) return undefined;
  const limit = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(read(`/proc/${pid}/limits`) ?? "")?.[1];
  if (limit === undefined) return undefined;
  return limit === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(limit);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
