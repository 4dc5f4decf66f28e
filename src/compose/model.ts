import { isMapping, mapping } from "../lib/mapping.ts";
import { MAX_RANGE, portEntry, publishedBy, type PortEntry, type Published } from "./ports.ts";
import { isPlain, splitColons } from "./syntax.ts";

/**
 * A Compose file as a value: emitted, edited or written by hand, in short or long syntax. What is written in a way
 * that nobody can judge is left out, never an error: Compose itself is the one to complain.
 */
export interface Compose {
  services: ReadonlyMap<string, Service>;
  /** What the file defines at the top level, by name. */
  networks: Definitions;
  volumes: Definitions;
  configs: Definitions;
  secrets: Definitions;
  /** Whether it includes other files, which are not seen here. */
  includes: boolean;
  /** The files that it includes, as it names them; undefined for one that is named in no way that Compose knows. */
  included: readonly (string | undefined)[];
}

type Definitions = ReadonlyMap<string, Record<string, unknown>>;

/** A mount of a service: a volume, a path of the host, or a file system in memory. */
interface Mount {
  type: "volume" | "bind" | "tmpfs" | "other";
  /** A volume's name or a path; "" for an anonymous volume and in memory. */
  source: string;
  /** The path inside the container, without a slash at its end. */
  target: string;
  readOnly: boolean;
}

/** A service that another one cannot do without. */
interface Dependency {
  service: string;
  required: boolean;
}

export interface Service {
  name: string;
  image: string | undefined;
  /** Whether it says what to run: an image, a build, or a service that it extends. */
  runsSomething: boolean;
  containerName: string | undefined;
  ports: readonly PortEntry[];
  mounts: readonly Mount[];
  networks: readonly string[];
  profiles: readonly string[];
  configs: readonly string[];
  secrets: readonly string[];
  /** Services that must be there for this one, in the same file: by `depends_on`, shared namespaces, volumes, `extends`. */
  needs: readonly string[];
  /** Every key as it was written, for rules about single settings. */
  settings: Record<string, unknown>;
}

/**
 * The model of a parsed Compose file.
 * @param doc the parsed YAML, untrusted
 * @returns undefined when it is no mapping, so no Compose file at all
 */
export function composeModel(doc: unknown): Compose | undefined {
  if (!isMapping(doc)) return undefined;
  return {
    services: new Map(
      Object.entries(mapping(doc["services"])).map(([name, value]) => [name, serviceModel(name, value)]),
    ),
    networks: definitions(doc["networks"]),
    volumes: definitions(doc["volumes"]),
    configs: definitions(doc["configs"]),
    secrets: definitions(doc["secrets"]),
    includes: "include" in doc,
    included: several(doc["include"]).flatMap(includedBy),
  };
}

/** The host ports that a file publishes, by service. */
export interface PublishedPorts {
  ports: readonly (Published & { service: string })[];
  /** Services some of whose ports are left out: they are more than `MAX_RANGE`. */
  tooMany: readonly string[];
}

/** @param expand interpolates one scalar */
export function publishedPorts({ services }: Compose, expand: (text: string) => string): PublishedPorts {
  const found: (Published & { service: string })[] = [];
  const tooMany = new Set<string>();
  for (const { name, ports } of services.values()) {
    for (const entry of ports) {
      const published = publishedBy(entry, expand);
      if (published === undefined || found.length + published.length > MAX_RANGE) tooMany.add(name);
      else for (const each of published) found.push({ service: name, ...each });
    }
  }
  return { ports: found, tooMany: [...tooMany] };
}

/** Whether a service runs with these profiles: those that `COMPOSE_PROFILES` names. */
export function isInProfiles({ profiles }: Service, on: ReadonlySet<string>): boolean {
  return profiles.length === 0 || on.has("*") || profiles.some((profile) => on.has(profile));
}

/** The profiles that a stack's `.env` switches on. */
export function profilesIn(env: ReadonlyMap<string, string>): ReadonlySet<string> {
  return new Set((env.get("COMPOSE_PROFILES") ?? "").split(",").map((name) => name.trim()));
}

/** Files whose services a file takes over, by `include` or by `extends`; "" for one that cannot be told. */
export function referencedIn({ included, services }: Compose): string[] {
  const extended = [...services.values()].flatMap(({ settings }) => {
    const { file } = mapping(settings["extends"]);
    return typeof file === "string" ? [file] : [];
  });
  return [...new Set([...included.map((path) => path ?? ""), ...extended])];
}

/** What a network of a file is called in the engine. @param definition of the top level; undefined for `default` */
export function networkName(key: string, definition: Record<string, unknown> | undefined, project: string): string {
  const { name, external } = definition ?? {};
  const { name: old } = mapping(external);
  if (typeof name === "string") return name;
  if (typeof old === "string") return old;
  return external === true ? key : `${project}_${key}`;
}

/** Whether a service of a file waits until another one is in a state, such as `service_completed_successfully`. */
export function hasConditionalUser({ services }: Compose, service: string, condition: string): boolean {
  return [...services.values()].some(
    ({ settings }) => mapping(mapping(settings["depends_on"])[service])["condition"] === condition,
  );
}

/** Which services of a file need one of those named. */
export function neededBy({ services }: Compose, names: ReadonlySet<string>): { by: string; service: string }[] {
  return [...services.values()].flatMap(({ name, needs }) =>
    names.has(name) ? [] : needs.filter((service) => names.has(service)).map((service) => ({ by: name, service })),
  );
}

function serviceModel(name: string, value: unknown): Service {
  const settings = mapping(value);
  const { image, container_name: containerName } = settings;
  return {
    name,
    image: typeof image === "string" ? image : undefined,
    runsSomething: "image" in settings || "build" in settings || "extends" in settings,
    containerName: typeof containerName === "string" ? containerName : undefined,
    ports: listed(settings["ports"]).flatMap((entry) => portEntry(entry) ?? []),
    mounts: [...listed(settings["volumes"]).flatMap(mount), ...several(settings["tmpfs"]).flatMap(memory)],
    networks: namesOf(settings["networks"]),
    profiles: namesOf(settings["profiles"]),
    configs: sourcesOf(settings["configs"]),
    secrets: [...sourcesOf(settings["secrets"]), ...sourcesOf(mapping(settings["build"])["secrets"])],
    needs: needsOf(settings),
    settings,
  };
}

/** An entry of `include`: a path, or the long syntax with one path or several. */
function includedBy(entry: unknown): (string | undefined)[] {
  if (typeof entry === "string") return [entry];
  const paths = several(mapping(entry)["path"]);
  return paths.length === 0 ? [undefined] : paths.map((path) => (typeof path === "string" ? path : undefined));
}

function definitions(value: unknown): Definitions {
  return new Map(Object.entries(mapping(value)).map(([name, definition]) => [name, mapping(definition)]));
}

/** `[SOURCE:]TARGET[:OPTIONS]`, or the long syntax. */
function mount(entry: unknown): Mount[] {
  if (typeof entry === "string") {
    const [first = "", second, options = ""] = splitColons(entry);
    if (second === undefined) return [{ type: "volume", source: "", target: trimmed(first), readOnly: false }];
    const isName = /^[A-Za-z0-9][\w.-]*$/.test(first);
    return [
      {
        type: isName ? "volume" : "bind",
        source: first,
        target: trimmed(second),
        readOnly: options.split(",").includes("ro"),
      },
    ];
  }
  const { type, source, target } = mapping(entry);
  if (typeof target !== "string" && source === undefined) return [];
  const known = type === "volume" || type === "bind" || type === "tmpfs" ? type : "other";
  return [
    {
      type: known,
      source: typeof source === "string" ? source : "",
      target: typeof target === "string" ? trimmed(target) : "",
      readOnly: mapping(entry)["read_only"] === true,
    },
  ];
}

/** `PATH[:OPTIONS]`. */
function memory(entry: unknown): Mount[] {
  if (typeof entry !== "string") return [];
  return [{ type: "tmpfs", source: "", target: trimmed(splitColons(entry)[0] ?? ""), readOnly: false }];
}

function trimmed(path: string): string {
  return path.replace(/(?<=.)\/$/, "");
}

function needsOf(settings: Record<string, unknown>): string[] {
  const shared = ["network_mode", "ipc", "pid"].flatMap((key) => {
    const found = /^service:(.+)$/.exec(String(settings[key]));
    return found?.[1] === undefined ? [] : [found[1]];
  });
  const required = dependencies(settings["depends_on"]).flatMap((each) => (each.required ? [each.service] : []));
  const links = namesOf(settings["links"]).map((link) => link.split(":", 1)[0] ?? link);
  const from = namesOf(settings["volumes_from"])
    .filter((source) => !source.startsWith("container:"))
    .map((source) => source.split(":", 1)[0] ?? source);
  const { extends: parent } = settings;
  const { service: named, file } = mapping(parent);
  const extended =
    typeof parent === "string" ? [parent] : typeof named === "string" && file === undefined ? [named] : [];
  return [...required, ...links, ...from, ...shared, ...extended];
}

function dependencies(value: unknown): Dependency[] {
  if (!isMapping(value)) return namesOf(value).map((service) => ({ service, required: true }));
  return Object.entries(value).map(([service, condition]) => ({
    service,
    required: mapping(condition)["required"] !== false,
  }));
}

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A list, or the one value that may be written instead of it. */
function several(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null || isMapping(value) ? [] : [value];
}

/** Names in a list, or the keys of the mapping that may be written instead of it. */
function namesOf(value: unknown): string[] {
  if (isMapping(value)) return Object.keys(value);
  return listed(value).filter((entry): entry is string => typeof entry === "string");
}

function sourcesOf(value: unknown): string[] {
  return listed(value).flatMap((entry) => {
    const source: unknown = typeof entry === "string" ? entry : mapping(entry)["source"];
    return isPlain(source) ? [String(source)] : [];
  });
}
