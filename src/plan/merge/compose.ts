import { isMapping } from "./identity.ts";

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
  const services = mapping(doc["services"]);
  return Object.entries(services).flatMap(([name, value]) => {
    const service = mapping(value);
    if ("extends" in service) return [];
    const refers = (kind: string, ids: readonly string[], defined: Record<string, unknown>): string[] =>
      ids
        .filter((id) => !(id in defined))
        .map((id) => `services.${name} refers to ${kind} ${id}, which is not defined`);
    return [
      ...refers("service", servicesOf(service), services),
      ...refers(
        "network",
        namesOf(service["networks"]).filter((id) => id !== "default"),
        mapping(doc["networks"]),
      ),
      ...refers("volume", volumesOf(service["volumes"]), mapping(doc["volumes"])),
      ...refers("config", sourcesOf(service["configs"]), mapping(doc["configs"])),
      ...refers("secret", sourcesOf(service["secrets"]), mapping(doc["secrets"])),
      ...exclusive(service).map((problem) => `services.${name}: ${problem}`),
      ...("image" in service || "build" in service ? [] : [`services.${name} has neither image nor build`]),
    ];
  });
}

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
  return [...required, ...links, ...from, ...shared];
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

/** Settings that Compose refuses together (compose-go, `loader/validate.go` and `transform`). */
function exclusive(service: Record<string, unknown>): string[] {
  const limits = mapping(mapping(mapping(service["deploy"])["resources"])["limits"]);
  const pairs: [unknown, unknown, string][] = [
    [service["network_mode"], service["networks"], "network_mode and networks exclude each other"],
    [service["mem_limit"], limits["memory"], "mem_limit and deploy.resources.limits.memory exclude each other"],
    [service["cpus"], limits["cpus"], "cpus and deploy.resources.limits.cpus exclude each other"],
    [service["pids_limit"], limits["pids"], "pids_limit and deploy.resources.limits.pids exclude each other"],
  ];
  return pairs.filter(([a, b]) => a !== undefined && b !== undefined).map(([, , problem]) => problem);
}

function mapping(value: unknown): Record<string, unknown> {
  return isMapping(value) ? value : {};
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
