import type { Problem } from "../lib/errors.ts";
import type { Manifest, Preset } from "./manifest.ts";

interface Placed<T> {
  file: string;
  value: T;
}

/**
 * Rules that need the whole catalogue at once. All problems are reported together.
 * - a folder or file is named after its id
 * - dependencies exist and have no cycle
 * - port ranges of two services do not overlap, on the same protocol
 * - a container name, variable or volume belongs to one service
 */
export function checkCatalogue(services: readonly Placed<Manifest>[], presets: readonly Placed<Preset>[]): Problem[] {
  return [
    ...services.flatMap(({ file, value }) => misnamed(file, value.id, file.split("/").at(-2) ?? "")),
    ...presets.flatMap(({ file, value }) =>
      misnamed(file, value.id, (file.split("/").at(-1) ?? "").replace(/\.yaml$/, "")),
    ),
    ...dependencies(services),
    ...overlaps(services),
    ...owners(services),
    ...images(services),
    ...patterns(services),
    ...externalKeys(services),
    ...probes(services),
    ...presetRules(presets),
  ];
}

function misnamed(file: string, id: string, expected: string): Problem[] {
  if (id === expected) return [];
  return [
    { file, key: "id", message: `is "${id}", but the catalogue calls it "${expected}": the two must be the same` },
  ];
}

function dependencies(services: readonly Placed<Manifest>[]): Problem[] {
  const byId = new Map(services.map((service) => [service.value.id, service]));
  const problems: Problem[] = [];
  for (const { file, value } of services) {
    for (const needed of value.requires) {
      if (!byId.has(needed))
        problems.push({ file, key: "requires", message: `"${needed}" is not a service of the catalogue` });
    }
  }
  const done = new Set<string>();
  const visit = (id: string, trail: readonly string[]): void => {
    const service = byId.get(id);
    if (service === undefined || done.has(id)) return;
    const start = trail.indexOf(id);
    if (start !== -1) {
      problems.push({
        file: service.file,
        key: "requires",
        message: `dependency cycle: ${[...trail.slice(start), id].join(" -> ")}`,
      });
      return;
    }
    for (const needed of service.value.requires) visit(needed, [...trail, id]);
    done.add(id);
  };
  for (const id of byId.keys()) visit(id, []);
  return problems;
}

function overlaps(services: readonly Placed<Manifest>[]): Problem[] {
  const ranges = services
    .flatMap(({ file, value }) => (value.port === undefined ? [] : [{ file, id: value.id, ...value.port }]))
    .toSorted((a, b) => a.base - b.base);
  const problems: Problem[] = [];
  for (const protocol of ["tcp", "udp"]) {
    const same = ranges.filter((range) => range.protocol === protocol);
    for (const [index, range] of same.entries()) {
      const next = same[index + 1];
      if (next !== undefined && next.base <= range.last) {
        problems.push({
          file: next.file,
          key: "port",
          message: `range ${String(next.base)}-${String(next.last)} overlaps ${String(range.base)}-${String(range.last)} of "${range.id}" (${range.file})`,
        });
      }
    }
  }
  return problems;
}

function owners(services: readonly Placed<Manifest>[]): Problem[] {
  const seen = new Map<string, string>();
  const problems: Problem[] = [];
  const claim = (kind: string, name: string, file: string): void => {
    const key = `${kind} ${name}`;
    const other = seen.get(key);
    if (other !== undefined) problems.push({ file, message: `${key} is already used in ${other}` });
    seen.set(key, file);
  };
  for (const { file, value } of services) {
    for (const container of value.containers) claim("container", container.name, file);
    for (const volume of value.volumes) claim("volume", volume.name, file);
    for (const entry of value.env) claim("variable", entry.name, file);
    if (value.port !== undefined) claim("variable", value.port.variable, file);
  }
  return problems;
}

function images(services: readonly Placed<Manifest>[]): Problem[] {
  const owned = new Set(
    services.flatMap(({ value }) =>
      value.containers.filter((container) => container.image !== undefined).map((container) => container.name),
    ),
  );
  return services.flatMap(({ file, value }) =>
    value.containers
      .filter((container) => container.imageOf !== undefined && !owned.has(container.imageOf))
      .map((container) => ({
        file,
        key: "containers",
        message: `"${container.name}" runs the image of "${container.imageOf ?? ""}", which no service has`,
      })),
  );
}

function patterns(services: readonly Placed<Manifest>[]): Problem[] {
  return services.flatMap(({ file, value }) => {
    const written = value.env.flatMap(({ reserved, form }) => [reserved, form].filter((each) => each !== undefined));
    const all = [
      ...value.reservedNames.map((each) => ["reservedNames", each]),
      ...written.map((each) => ["env", each]),
    ];
    return all
      .filter(([, pattern = ""]) => !isPattern(pattern))
      .map(([key, pattern = ""]) => ({ file, key, message: `"${pattern}" is not a regular expression` }));
  });
}

// Words that framework.yaml or the command line has already: `ID:` is a key there, `--ID` and `--ID-host` are flags.
export const TAKEN_KEYS: ReadonlySet<string> = new Set(
  (
    "schemaVersion name preset description images profile services logging waivers registry digests backup port answers root " +
    "templates json help version yes dry-run diff"
  ).split(" "),
);

function externalKeys(services: readonly Placed<Manifest>[]): Problem[] {
  return services
    .filter(({ value }) => value.external !== undefined && TAKEN_KEYS.has(value.id))
    .map(({ file, value }) => ({
      file,
      key: "external",
      message: `"${value.id}" is a key of framework.yaml or a flag already, so the service needs another id`,
    }));
}

/** Probes and measures have different names, and containers and services outside the stack that there are. */
function probes(services: readonly Placed<Manifest>[]): Problem[] {
  const containers = new Set(services.flatMap(({ value }) => value.containers.map(({ name }) => name)));
  return services.flatMap(({ file, value }) => {
    const outside = new Set(value.probes.flatMap(({ id, exec, reach }) => ((exec ?? reach) === undefined ? [id] : [])));
    const unfit = (value.external?.probes ?? [])
      .filter((id) => !outside.has(id))
      .map((id) => ({ file, key: "probes", message: `"${id}" of \`external\` is not a probe over HTTP, TCP or SQL` }));
    return [
      ...nameProblems("probes", value.probes, containers).map((message) => ({ file, key: "probes", message })),
      ...unfit,
      ...nameProblems("measures", value.measures, containers).map((message) => ({ file, key: "measures", message })),
    ];
  });
}

/** What is wrong with the names of probes or measures. */
function nameProblems(
  kind: "probes" | "measures",
  all: readonly { id: string; container?: string | undefined }[],
  containers: ReadonlySet<string>,
): string[] {
  const ids = all.map(({ id }) => id);
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `two ${kind} are called "${id}"`),
    ...all.flatMap(({ id, container }) =>
      container === undefined || containers.has(container)
        ? []
        : [`"${id}" is about the container "${container}", which no service has`],
    ),
  ];
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

function presetRules(presets: readonly Placed<Preset>[]): Problem[] {
  const problems: Problem[] = [];
  const slots = new Map<number, string>();
  for (const { file, value } of presets) {
    if (value.slot === undefined) continue;
    const other = slots.get(value.slot);
    if (other !== undefined)
      problems.push({ file, key: "slot", message: `slot ${String(value.slot)} is already used in ${other}` });
    slots.set(value.slot, file);
  }
  if (presets.filter(({ value }) => value.fallback).length !== 1) {
    problems.push({ file: "presets", key: "fallback", message: "exactly one preset must be the fallback" });
  }
  return problems;
}
