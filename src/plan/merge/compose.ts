import { isMapping, mapping } from "../../spec/mapping.ts";

/**
 * What a merge would break in a compose file that was whole before: a service, network, volume, config or secret
 * that somebody refers to and nobody defines, or two settings that Compose refuses together. Each side
 * was right on its own, so only the result can tell.
 * @param before the parsed file as it was
 * @returns what is wrong in `after` and was not in `before`, for people
 */
export function brokenBy(before: unknown, after: unknown): string[] {
  const known = new Set(problems(before));
  return problems(after).filter((problem) => !known.has(problem));
}

function problems(doc: unknown): string[] {
  if (!isMapping(doc)) return ["the file is no compose file"];
  // What another file brings in cannot be seen here.
  if ("include" in doc) return [];
  const services = Object.entries(mapping(doc["services"])).map(([name, value]) => [name, mapping(value)] as const);
  return [
    ...services.flatMap(([name, service]) => serviceProblems(name, service, doc)),
    ...cycles(services),
    ...twice(
      services.flatMap(([, service]) =>
        typeof service["container_name"] === "string" ? [service["container_name"]] : [],
      ),
    ).map((name) => `two services have the container name ${name}`),
    ...Object.entries(mapping(doc["volumes"]))
      .filter(([, value]) => {
        const volume = mapping(value);
        return volume["external"] === true && Object.keys(volume).some((key) => key !== "external" && key !== "name");
      })
      .map(([name]) => `the external volume ${name} has settings of its own`),
  ];
}

function serviceProblems(name: string, service: Record<string, unknown>, doc: Record<string, unknown>): string[] {
  const services = mapping(doc["services"]);
  const refers = (kind: string, ids: readonly string[], defined: Record<string, unknown>): string[] =>
    ids.filter((id) => !(id in defined)).map((id) => `services.${name} refers to ${kind} ${id}, which is not defined`);
  const build = mapping(service["build"]);
  const bare = !("image" in service || "build" in service || "extends" in service);
  return [
    ...refers("service", servicesOf(service), services),
    ...refers(
      "network",
      namesOf(service["networks"]).filter((id) => id !== "default"),
      mapping(doc["networks"]),
    ),
    ...refers("volume", volumesOf(service["volumes"]), mapping(doc["volumes"])),
    ...refers("config", sourcesOf(service["configs"]), mapping(doc["configs"])),
    ...refers("secret", [...sourcesOf(service["secrets"]), ...sourcesOf(build["secrets"])], mapping(doc["secrets"])),
    ...servicesOf(service)
      .filter((id) => isSwitchedOff(mapping(services[id]), service))
      .map((id) => `services.${name} needs ${id}, which only runs with a profile`),
    ...twice(targetsOf(service)).map((target) => `services.${name} mounts two things at ${target}`),
    ...exclusive(service).map((problem) => `services.${name}: ${problem}`),
    ...(bare ? [`services.${name} has neither image nor build`] : []),
  ];
}

/** Whether a service is left out by its profiles where another one that needs it is not. */
function isSwitchedOff(needed: Record<string, unknown>, by: Record<string, unknown>): boolean {
  const profiles = namesOf(needed["profiles"]);
  const own = namesOf(by["profiles"]);
  return profiles.length > 0 && (own.length === 0 || own.some((profile) => !profiles.includes(profile)));
}

/** Services that need each other in a circle. */
function cycles(services: readonly (readonly [string, Record<string, unknown>])[]): string[] {
  const needs = new Map(services.map(([name, service]) => [name, servicesOf(service)]));
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (needs.get(from) ?? []).some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  return [...needs.keys()]
    .filter((name) => reaches(name, name, new Set()))
    .map((name) => `services.${name} needs itself`);
}

function twice(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

/** Paths inside the container that something is mounted at. */
function targetsOf(service: Record<string, unknown>): string[] {
  const short = (entry: string, at: number): string => {
    const parts = entry.replaceAll(/\$\{[^}]*\}/g, "variable").split(":");
    return (parts[at] ?? parts[0] ?? "").replace(/(?<=.)\/$/, "");
  };
  const volumes = listOf(service["volumes"]).flatMap((entry) => {
    const { target } = mapping(entry);
    return typeof entry === "string" ? [short(entry, 1)] : typeof target === "string" ? [target] : [];
  });
  const tmpfs = listOf(service["tmpfs"]).flatMap((entry) => (typeof entry === "string" ? [short(entry, 0)] : []));
  return [...volumes, ...tmpfs];
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null || isMapping(value) ? [] : [value];
}

/** Services that must be there for this one: in the same file, switched on. */
function servicesOf(service: Record<string, unknown>): string[] {
  const shared = ["network_mode", "ipc", "pid"].flatMap((key) => {
    const found = /^service:(.+)$/.exec(String(service[key]));
    return found?.[1] === undefined ? [] : [found[1]];
  });
  const required = isMapping(service["depends_on"])
    ? Object.entries(service["depends_on"])
        .filter(([, condition]) => mapping(condition)["required"] !== false)
        .map(([id]) => id)
    : namesOf(service["depends_on"]);
  const links = namesOf(service["links"]).map((link) => link.split(":", 1)[0] ?? link);
  const from = namesOf(service["volumes_from"])
    .filter((source) => !source.startsWith("container:"))
    .map((source) => source.split(":", 1)[0] ?? source);
  const { extends: parent } = service;
  const { service: named, file } = mapping(parent);
  const extended =
    typeof parent === "string" ? [parent] : typeof named === "string" && file === undefined ? [named] : [];
  return [...required, ...links, ...from, ...shared, ...extended];
}

/** Named volumes of a service; paths are none. */
function volumesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    if (typeof entry === "string") return /^([A-Za-z0-9][\w.-]*):/.exec(entry)?.slice(1, 2) ?? [];
    const { type, source } = mapping(entry);
    return type === "volume" && typeof source === "string" ? [source] : [];
  });
}

function sourcesOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    if (typeof entry === "string") return [entry];
    const { source } = mapping(entry);
    return typeof source === "string" ? [source] : [];
  });
}

function namesOf(value: unknown): string[] {
  if (isMapping(value)) return Object.keys(value);
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : [];
}

/** Settings that Compose refuses together (compose-go, `loader/validate.go` and `types/project.go`). */
function exclusive(service: Record<string, unknown>): string[] {
  const deploy = mapping(service["deploy"]);
  const { limits, reservations } = mapping(deploy["resources"]);
  // Where the block is there, what it does not name counts as none; equal values are accepted.
  const differ = (key: string, block: unknown, inside: string): string[] =>
    service[key] === undefined || block === undefined || isAlike(service[key], mapping(block)[inside])
      ? []
      : [`${key} and deploy.resources exclude each other`];
  const several = [service["scale"], deploy["replicas"]].some((count) => typeof count === "number" && count > 1);
  return [
    ...("network_mode" in service && "networks" in service ? ["network_mode and networks exclude each other"] : []),
    ...(several && "container_name" in service ? ["a container name and several replicas exclude each other"] : []),
    ...differ("mem_limit", limits, "memory"),
    ...differ("cpus", limits, "cpus"),
    ...differ("pids_limit", limits, "pids"),
    ...differ("mem_reservation", reservations, "memory"),
  ];
}

/** Whether two settings are written alike: `1` and `"1"` are. */
function isAlike(a: unknown, b: unknown): boolean {
  return JSON.stringify(a).replaceAll('"', "") === (JSON.stringify(b) ?? "").replaceAll('"', "");
}

/** Which services of a compose file need one of those named. */
export function neededBy(doc: unknown, names: ReadonlySet<string>): { by: string; service: string }[] {
  const services = isMapping(doc) ? mapping(doc["services"]) : {};
  return Object.entries(services).flatMap(([by, value]) =>
    names.has(by)
      ? []
      : servicesOf(mapping(value))
          .filter((service) => names.has(service))
          .map((service) => ({ by, service })),
  );
}

/** The services that a compose file has. */
export function serviceNames(doc: unknown): string[] {
  return isMapping(doc) ? Object.keys(mapping(doc["services"])) : [];
}
