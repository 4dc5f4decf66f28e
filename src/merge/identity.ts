import { portEntry } from "../compose/ports.ts";
import { isPlain, splitColons } from "../compose/syntax.ts";
import { isMapping, mapping } from "../lib/mapping.ts";

/** Keys from the root of a YAML file to a value; for list items, their identities. */
export type Path = readonly string[];

type Identity = (item: unknown) => string | undefined;

/** Lists of a Compose service that are one value, like `healthcheck.test`: parts of two command lines make a third. */
const ATOMS = new Set(["command", "entrypoint"]);

/** `NAME=value` or `NAME`; also the mapping form, where it stands inside a list. */
const byName: Identity = (item) => (typeof item === "string" ? item.split("=", 1)[0] : undefined);

/** A port is the same when its container port and protocol are. */
const byPort: Identity = (item) => {
  const entry = portEntry(item);
  return entry === undefined || entry.container === "" ? undefined : `${entry.container}/${entry.protocol}`;
};

/** `[source:]target[:options]`, or the long form. */
const byMount: Identity = (item) => {
  if (typeof item === "string") {
    const [first, second] = splitColons(item);
    return second ?? first;
  }
  const { target } = mapping(item);
  return isPlain(target) ? String(target) : undefined;
};

/** What stands before the first colon: `/tmp:size=64m`, `host:address`. */
const byHead: Identity = (item) => (typeof item === "string" ? splitColons(item)[0] : undefined);

const bySource: Identity = (item) => {
  if (typeof item === "string") return item;
  const { source, target } = mapping(item);
  return isPlain(source) ? `${String(source)} ${isPlain(target) ? String(target) : ""}` : undefined;
};

/** Of the lists of a Compose service whose items have an identity smaller than themselves. */
const IDENTITIES: Record<string, Identity> = {
  ports: byPort,
  volumes: byMount,
  devices: byMount,
  environment: byName,
  labels: byName,
  annotations: byName,
  sysctls: byName,
  args: byName,
  tmpfs: byHead,
  extra_hosts: byHead,
  configs: bySource,
  secrets: bySource,
};

/** Lists whose order means nothing to Compose. */
const UNORDERED = new Set([
  ...Object.keys(IDENTITIES),
  "cap_add",
  "cap_drop",
  "depends_on",
  "expose",
  "group_add",
  "networks",
  "profiles",
  "security_opt",
]);

/** The key that a list stands under, where it is one of a Compose service or its build; else the empty text. */
function listKey(path: Path): string {
  const own = path[0] === "services" && (path.length === 3 || (path.length === 4 && path[2] === "build"));
  return own ? (path.at(-1) ?? "") : "";
}

/** Whether a list is one value, which is never merged item by item. */
export function isAtom(path: Path): boolean {
  const test = path.length === 4 && path[0] === "services" && path[2] === "healthcheck" && path[3] === "test";
  return test || ATOMS.has(listKey(path));
}

export function isUnordered(path: Path): boolean {
  return UNORDERED.has(listKey(path));
}

/**
 * What makes each item of a list the same item in another version: a port's and a volume's target, an
 * environment entry's name, else its whole value.
 * @returns undefined for an atom, and when two items have one identity
 */
export function identities(items: readonly unknown[], path: Path): string[] | undefined {
  if (isAtom(path)) return undefined;
  const identity = IDENTITIES[listKey(path)];
  const ids = items.map((item) => {
    const own = identity?.(item);
    return own === undefined ? `= ${canonical(item)}` : `${listKey(path)} ${own}`;
  });
  return new Set(ids).size === ids.length ? ids : undefined;
}

/**
 * A value as text that is the same for equal values: the order of keys means nothing, nor does that of lists
 * that Compose reads as sets.
 * @param path where the value stands
 */
export function canonical(value: unknown, path: Path = []): string {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => canonical(item, [...path, ""]));
    return `[${(isUnordered(path) ? items.toSorted() : items).join(",")}]`;
  }
  if (isMapping(value)) {
    const pairs = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `{${pairs.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each, [...path, key])}`).join(",")}}`;
  }
  return typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "absent");
}

/** Whether two values are equal, as `canonical` sees them. */
export function isSame(a: unknown, b: unknown, path: Path = []): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false;
    if (a.every((item, index) => isSame(item, b[index], [...path, ""]))) return true;
    return isUnordered(path) && canonical(a, path) === canonical(b, path);
  }
  if (!isMapping(a) || !isMapping(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key], [...path, key]))
  );
}
