import { formatMebibytes } from "../render/memory.ts";
import type { EngineFacts, HostFacts, Needs, NoEngine } from "./host-facts.ts";

export interface HostSubject {
  facts: HostFacts;
  engine: EngineFacts | NoEngine;
  needs: Needs;
  /** Absolute path of the root. */
  root: string;
}

export interface CheckResult {
  id: string;
  outcome: "pass" | "fail" | "unknown";
  message: string;
  /** The command or the step that helps; "" where nothing is wrong. */
  fix: string;
}

type Verdict = Omit<CheckResult, "id">;
const pass = (message: string): Verdict => ({ outcome: "pass", message, fix: "" });
const fail = (message: string, fix: string): Verdict => ({ outcome: "fail", message, fix });
const unknown = (message: string, fix = ""): Verdict => ({ outcome: "unknown", message, fix });
const NO_ENGINE = unknown("cannot be determined without an engine that answers");

/** Checks of a host, in the order in which they are shown: what each depends on comes first. */
const CHECKS: Readonly<Record<string, (subject: HostSubject) => Verdict>> = {
  engine: ({ engine, facts }) =>
    "problem" in engine
      ? aboutNoEngine(engine, facts.engineVariables)
      : pass(`Docker Engine ${engine.version} answers`),

  "engine-version": withEngine(({ version }) =>
    isAtLeast(version, [20, 10])
      ? pass(`${version} is new enough`)
      : fail(`Docker Engine ${version} is older than 20.10`, "update Docker: https://docs.docker.com/engine/install/"),
  ),

  compose: withEngine(({ compose }) => {
    if (compose !== undefined && !/^v?\d/.test(compose)) return unknown(`Compose calls itself ${compose}`);
    if (compose === undefined)
      return fail(
        "docker compose is not installed",
        "install the Compose plugin: apt-get install docker-compose-plugin",
      );
    if (!isAtLeast(compose, [2, 20])) return fail(`Compose ${compose} is older than 2.20`, "update the Compose plugin");
    return isAtLeast(compose, [2, 24, 4])
      ? pass(`Compose ${compose}`)
      : fail(`Compose ${compose} cannot make the second stack of a restore drill`, "update it to 2.24.4 or newer");
  }),

  limits: withEngine(({ missingLimits, cgroup }) =>
    missingLimits.length === 0
      ? pass(`cgroup version ${cgroup}; memory, CPU and process limits are enforced`)
      : fail(
          `the engine cannot enforce limits for ${missingLimits.join(", ")}`,
          "enable the controllers of the kernel (cgroup_enable=memory), or delegate them to a rootless engine",
        ),
  ),

  memory: ({ engine, needs, facts }) => {
    const there = Math.floor(("problem" in engine ? facts.memory : engine.memory) / MIB);
    const line = `the limits of ${count(needs.frameworks, "framework")} add up to ${formatMebibytes(needs.memory)}, and there are ${formatMebibytes(there)}`;
    return needs.memory <= there
      ? pass(line)
      : fail(line, "run fewer at a time, choose --profile small, or lower the limits in .env");
  },

  disk: ({ engine, facts }) => {
    const disks = [
      { what: "the root", disk: facts.disk, least: 1024 },
      ...("problem" in engine ? [] : [{ what: "the engine's volumes", disk: engine.disk, least: 5 * 1024 }]),
    ];
    const first = disks.find(({ disk, least }) => disk !== undefined && disk.free < least * MIB);
    if (first?.disk !== undefined)
      return fail(
        `${formatMebibytes(Math.floor(first.disk.free / MIB))} are free for ${first.what}, and images and data take more`,
        "docker system df shows what uses it; docker image prune deletes images that nothing uses",
      );
    const known = disks.filter(({ disk }) => disk !== undefined);
    return known.length < disks.length
      ? unknown(
          `what is free for ${disks
            .filter(({ disk }) => disk === undefined)
            .map(({ what }) => what)
            .join(" and ")} cannot be determined`,
        )
      : pass(
          known
            .map(({ what, disk }) => `${formatMebibytes(Math.floor((disk?.free ?? 0) / MIB))} free for ${what}`)
            .join(", "),
        );
  },

  "file-system": ({ engine, needs }) => {
    if (needs.blockStorage.length === 0) return pass("no service asks for a kind of file system");
    if ("problem" in engine) return NO_ENGINE;
    if (engine.disk === undefined) return unknown("the engine's disk is not one of this host");
    const name = NETWORK_FILE_SYSTEMS[engine.disk.type];
    return name === undefined
      ? pass("the engine's volumes are not on a network file system")
      : fail(
          `the engine's volumes are on ${name}, on which ${needs.blockStorage.join(", ")} can lose data`,
          "move the engine's data to a local disk (data-root in /etc/docker/daemon.json)",
        );
  },

  cpu: ({ facts, needs }) => {
    const { cpuFlags, arch } = facts;
    const asked = needs.cpu.filter((need) => need.arch === arch);
    if (asked.length === 0) return pass("no service asks for a kind of processor");
    if (cpuFlags === undefined) return unknown("the flags of this processor cannot be read");
    const first = asked.find(({ flags }) => flags.some((flag) => !cpuFlags.has(flag)));
    return first === undefined
      ? pass(`has ${[...new Set(asked.flatMap(({ flags }) => flags))].join(", ")}`)
      : fail(
          `this processor lacks ${first.flags.filter((flag) => !cpuFlags.has(flag)).join(", ")}, without which ${first.service} ends with "Illegal instruction"`,
          'use another host; of a virtual machine, give it the host\'s processor (cpu "host")',
        );
  },

  kernel: ({ facts, needs }) => {
    const wrong = needs.kernel.flatMap(({ service, name, least }) => {
      const value = facts.kernelSettings.get(name);
      return value !== undefined && value < least ? [{ service, name, least, value }] : [];
    });
    const [first] = wrong;
    if (first !== undefined)
      return fail(
        `${first.name} is ${String(first.value)}, and ${first.service} needs ${String(first.least)}`,
        `sudo sysctl -w ${first.name}=${String(first.least)}, and the same line in /etc/sysctl.d/`,
      );
    return needs.kernel.some(({ name }) => facts.kernelSettings.get(name) === undefined)
      ? unknown("the kernel's settings cannot be read")
      : pass("the kernel's settings are high enough");
  },

  "open-files": ({ engine, needs }) => {
    if ("problem" in engine) return NO_ENGINE;
    if (engine.openFiles === undefined) return unknown("the engine's limit for open files cannot be read");
    return engine.openFiles >= needs.openFiles
      ? pass(`the engine can give ${String(engine.openFiles)}`)
      : fail(
          `the engine can give ${String(engine.openFiles)} open files, and a service asks for ${String(needs.openFiles)}`,
          "raise LimitNOFILE of docker.service, or set the _NOFILE_LIMIT of the service in .env",
        );
  },

  ports: ({ engine, needs }) => {
    if (needs.listening.length === 0) return pass("nobody listens on a port of a framework");
    if ("problem" in engine) return unknown(`${needs.listening.join(", ")} are in use; by whom cannot be determined`);
    const others = needs.listening.filter((port) => !engine.published.has(port));
    return others.length === 0
      ? pass("only containers listen on the frameworks' ports")
      : fail(`another program listens on ${others.join(", ")}`, "sudo ss -ltnp shows it; or npm run ports -- --fix");
  },

  images: ({ engine, needs }) => {
    if ("problem" in engine) return NO_ENGINE;
    const missing = needs.images.filter((image) => !engine.images.has(image));
    return missing.length === 0
      ? pass(`all ${String(needs.images.length)} are there`)
      : unknown(
          `${count(missing.length, "image")} of ${String(needs.images.length)} are not there yet: ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? " …" : ""}`,
          "docker compose pull, in the directory of the framework, tells whether they can be reached",
        );
  },

  proxy: ({ engine, facts }) => {
    if (facts.proxies.length === 0) return pass("this host uses none");
    if ("problem" in engine) return NO_ENGINE;
    return engine.hasProxy
      ? pass("the engine has one as well")
      : fail(
          `${facts.proxies.join(", ")} are set, and the engine has no proxy: it cannot fetch images`,
          'set "proxies" in /etc/docker/daemon.json: https://docs.docker.com/engine/daemon/proxy/',
        );
  },

  clock: ({ engine, facts }) => {
    if (facts.now < PROGRAM_IS_YOUNGER)
      return fail("the clock of this host is years behind", "set it: sudo timedatectl set-ntp true");
    if ("problem" in engine || engine.time === undefined) return NO_ENGINE;
    const skew = Math.abs(engine.time - facts.now) / 1000;
    return skew < 30
      ? pass("agrees with the engine's")
      : fail(
          `differs from the engine's by ${String(Math.round(skew))} s`,
          "synchronise both: sudo timedatectl set-ntp true",
        );
  },

  selinux: ({ facts }) =>
    facts.isSelinuxEnforcing
      ? unknown(
          "SELinux is enforcing: containers may not read files below config/",
          "chcon -Rt container_file_t config",
        )
      : pass("SELinux does not stand in the way"),

  wsl: ({ facts, root }) =>
    facts.isWsl && root.startsWith("/mnt/")
      ? fail(
          "the root is on a Windows drive, where modes of files have no effect",
          "move it into the Linux file system",
        )
      : pass(facts.isWsl ? "the root is in the Linux file system" : "this is not WSL"),
};

/** Every check of a host. */
export function checkHost(subject: HostSubject): CheckResult[] {
  return Object.entries(CHECKS).map(([id, check]) => ({ id, ...check(subject) }));
}

const MIB = 1024 * 1024;
// 2026-01-01.
const PROGRAM_IS_YOUNGER = 1_767_225_600_000;

/** Linux's magic numbers (statfs(2)) of file systems that are not disks. */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  [0x69_69]: "NFS",
  [0x65_73_55_46]: "FUSE",
  [0xff_53_4d_42]: "CIFS",
  [0xfe_53_4d_42]: "SMB",
  [0x01_02_19_97]: "9p",
};

function withEngine(check: (engine: EngineFacts) => Verdict): (subject: HostSubject) => Verdict {
  return ({ engine }) => ("problem" in engine ? NO_ENGINE : check(engine));
}

const OTHER_ENGINE = "docker context ls; docker context use default; or unset DOCKER_HOST and DOCKER_CONTEXT";

/** @param chosen variables that name another engine than this host's */
function aboutNoEngine({ problem, said }: NoEngine, chosen: readonly string[]): Verdict {
  switch (problem) {
    case "missing":
      return fail("docker is not installed, or not in PATH", "install it: https://docs.docker.com/engine/install/");
    case "timeout":
      return chosen.length === 0
        ? fail(
            "the engine did not answer within ten seconds",
            "sudo systemctl restart docker; sudo journalctl -u docker",
          )
        : fail(`no engine answers within ten seconds where ${chosen.join(" and ")} says`, OTHER_ENGINE);
    case "denied":
      return fail(
        "this user may not use the engine",
        "sudo usermod -aG docker $USER, then log in again (whoever is in that group is root on this host); or use a rootless engine",
      );
    case "stopped":
      return chosen.length === 0
        ? fail(`the engine is not running: ${said}`, "sudo systemctl start docker")
        : fail(`no engine answers where ${chosen.join(" and ")} says: ${said}`, OTHER_ENGINE);
    case "context":
      return fail(`docker is told to use another engine: ${said}`, OTHER_ENGINE);
    case "other":
      return fail(said === "" ? "docker failed, and did not say why" : `docker failed: ${said}`, "docker info");
  }
}

function isAtLeast(version: string, least: readonly number[]): boolean {
  const parts = version.replace(/^v/, "").split(/[.+-]/).map(Number);
  for (const [index, part] of least.entries()) {
    const found = parts[index] ?? 0;
    if (Number.isNaN(found) || found !== part) return found > part;
  }
  return true;
}

function count(number: number, what: string): string {
  return `${String(number)} ${what}${number === 1 ? "" : "s"}`;
}
