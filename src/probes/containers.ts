import { isInProfiles, networkName, publishedPorts, type Compose, type Service } from "../compose/model.ts";
import type { Container, Inside } from "../host/containers.ts";
import { portsVerdict, type Wanted } from "./ports.ts";
import { failed, passed, unknown, UP, type Probe, type Verdict } from "./probe.ts";
import { sizeText } from "./sizes.ts";
import { stateVerdict } from "./state.ts";

/** A stack as its files describe it, and the containers that there are. */
export interface StackState {
  compose: Compose;
  /** Compose's project. */
  project: string;
  /** Profiles that are switched on (`COMPOSE_PROFILES`). */
  profiles: ReadonlySet<string>;
  /** All containers of the engine. */
  containers: readonly Container[];
  /** Milliseconds since 1970. */
  now: () => number;
}

/** What the probes of its containers are answered with. */
export interface StackContext extends StackState {
  /** Memory in use as part of its limit (0 to 1). */
  memory: (container: Container) => Promise<number | undefined>;
  /** Asks inside a running container: its cgroup, and the file systems of its volumes. */
  inside: (container: Container) => Promise<Inside | undefined>;
  /** Whether some program of this host listens on a port. */
  isListening: (protocol: "tcp" | "udp", port: number) => Promise<boolean>;
  /** The variable of `.env` that a service's memory limit comes from, if it is one. */
  memoryVariable: (service: string) => string | undefined;
  /** When a question is given up, in milliseconds. */
  limitMs: number;
}

/** What each of them asks, for the documentation. */
export const CONTAINER_PROBES: Readonly<Record<string, string>> = {
  state: "it runs, its health check passes, and it was not restarted in the last minute; a one-shot has ended with 0",
  ports: "what is bound on this host is what the file publishes, on that address, and by this container",
  log: "its log cannot fill the disk",
  networks: "it is on the networks of its file, and on no other",
  memory: "it uses less than 95% of its memory limit, and the kernel has killed none of its processes for it",
  disk: "5% of the disk of each of its volumes is free, or 10 GiB",
};

/** The containers of a service, those that run first; none of those that `docker compose run` makes. */
export function containersOf({ containers, project }: StackState, service: string): readonly Container[] {
  return containers
    .filter((each) => each.project === project && each.service === service && !each.isOneOff)
    .toSorted((a, b) => Number(b.status === "running") - Number(a.status === "running"));
}

/** Probes of each service that is to run. */
export function containerProbes(about: StackContext): Probe[] {
  return servicesToRun(about).flatMap((service) => probesOf(service, about));
}

/** How many services do not run as they should, or not yet. */
export function servicesNotReady(about: StackState): number {
  return servicesToRun(about).filter(
    (service) => stateVerdict(service, containersOf(about, service.name), about).outcome !== "pass",
  ).length;
}

function servicesToRun({ compose, profiles: on }: StackState): Service[] {
  return [...compose.services.values()].filter((service) => service.runsSomething && isInProfiles(service, on));
}

function probesOf(service: Service, about: StackContext): Probe[] {
  const all = containersOf(about, service.name);
  const [first] = all;
  const of = (id: string, run: Probe["run"]): Probe => ({ id, service: service.name, limitMs: about.limitMs, run });
  const state = of("state", () => stateVerdict(service, all, about));
  const wanted = wantedPorts(service.name, about.compose);
  const ports =
    wanted.length === 0 && first?.status !== "running"
      ? []
      : [of("ports", async () => portsVerdict(service.name, wanted, all, about))];
  if (first === undefined) return [state, ...ports];
  const probes = [state, ...ports, of("log", () => logVerdict(first))];
  if (first.status !== "running") return probes;
  probes.push(
    of("networks", () => networksVerdict(service, first, about)),
    of("memory", async () => memoryVerdict(first, about)),
  );
  if (first.volumes.length > 0) probes.push(of("disk", async () => diskVerdict(first, about)));
  return probes;
}

function wantedPorts(service: string, compose: Compose): readonly Wanted[] {
  // The variables of this Compose file are filled in already.
  return publishedPorts(compose, (text) => text).ports.filter((each) => each.service === service);
}

/** What a service's file says that its networks are called in the engine. */
export function networksIn({ networks }: Service, { compose, project }: StackState): readonly string[] {
  // One that names none is on the project's own.
  return (networks.length === 0 ? ["default"] : networks).map((key) =>
    networkName(key, compose.networks.get(key), project),
  );
}

function networksVerdict(service: Service, container: Container, about: StackContext): Verdict {
  const { network_mode: mode } = service.settings;
  if (typeof mode === "string") return passed(`its network is ${mode}`);
  const wanted = networksIn(service, about);
  const found = container.networks.map(({ name }) => name);
  const missing = wanted.filter((name) => !found.includes(name));
  const more = found.filter((name) => !wanted.includes(name));
  if (missing.length > 0)
    return failed(
      `is not connected to ${missing.join(", ")}`,
      `connect it again: ${UP} --force-recreate ${service.name}`,
    );
  if (more.length > 0)
    return failed(
      `is also connected to ${more.join(", ")}, which its file does not name`,
      `docker network disconnect ${more[0] ?? ""} ${container.name}`,
    );
  return passed(found.join(", "));
}

// Where the server's own caches are counted in, most of a limit in use is nothing to worry about.
const MUCH = 0.95;

async function memoryVerdict(container: Container, about: StackContext): Promise<Verdict> {
  const { service, memoryLimit } = container;
  const variable = about.memoryVariable(service);
  const raise =
    variable === undefined
      ? `raise its memory limit in compose.yaml or its override, then ${UP} ${service}`
      : `raise ${variable} in .env, then ${UP} ${service}`;
  const kills = (await about.inside(container))?.kills;
  if (kills !== undefined && kills > 0)
    return failed(
      `the kernel has killed ${String(kills)} of its processes since it started, as it reached its memory limit`,
      raise,
    );
  const note = kills === undefined ? "; whether the kernel has killed one of its processes cannot be asked" : "";
  if (memoryLimit === 0) return passed(`has no memory limit${note}`);
  const share = await about.memory(container);
  if (share === undefined) return unknown("the engine does not say how much memory it uses", "docker stats");
  const percent = `uses ${(share * 100).toFixed(0)}% of its ${sizeText(memoryLimit)}`;
  return { ...(share >= MUCH ? failed(percent, raise) : passed(`${percent}${note}`)), share };
}

// Little in both ways: a twentieth of a large disk is a lot.
const LITTLE_SHARE = 0.05;
const LITTLE_BYTES = 10 * 1024 ** 3;

async function diskVerdict(container: Container, about: StackContext): Promise<Verdict> {
  const disks = (await about.inside(container))?.disks ?? new Map<string, { size: number; free: number }>();
  const known = [...disks].map(([path, disk]) => ({ path, ...disk, share: disk.free / Math.max(disk.size, 1) }));
  const [least] = known.toSorted((a, b) => a.share - b.share);
  const full = known.find(({ share, free }) => share < LITTLE_SHARE && free < LITTLE_BYTES);
  if (full !== undefined) {
    const message = `only ${sizeText(full.free)} of ${sizeText(full.size)} is free at ${full.path}`;
    const hint = "make room on that disk (docker system df shows what uses it), or move the volume to a larger one";
    return { ...failed(message, hint), share: 1 - full.share };
  }
  const asked = container.volumes.filter(({ target }) => !disks.has(target)).map(({ target }) => target);
  if (asked.length > 0 || least === undefined)
    return unknown(
      `how much space is left at ${asked.join(", ")} cannot be asked inside it`,
      "docker system df, and df -h for the engine's directory",
    );
  const message = `${sizeText(least.free)} of ${sizeText(least.size)} is free at ${least.path}`;
  return { ...passed(message), share: 1 - least.share };
}

function logVerdict({ log, service }: Container): Verdict {
  if (log.isLimited)
    return passed(
      ["json-file", "local"].includes(log.driver)
        ? `its log is limited by the driver ${log.driver}`
        : `the driver ${log.driver} keeps no log file of its own`,
    );
  return failed(
    `its log grows until the disk is full: the driver ${log.driver} has no max-size`,
    `give ${service} logging with max-size in compose.yaml or its override, then ${UP} ${service}`,
  );
}
