import { isCollection, isPair, isScalar, visit } from "yaml";

import { isMapping, mapping } from "../lib/mapping.ts";
import { YamlPlaces } from "../lib/yaml.ts";
import { yamlValue } from "../lib/yaml-documents.ts";
import { portEntry } from "./ports.ts";
import { isPlain, keyed, splitColons } from "./syntax.ts";

/**
 * One of the Compose files of a stack, as plain values.
 * `reset` and `override` are the paths with Compose's tags `!reset` and `!override`.
 */
export interface ComposeLayer {
  value: Record<string, unknown>;
  reset: ReadonlySet<string>;
  override: ReadonlySet<string>;
}

/** @returns undefined when it is not valid YAML, or no mapping */
export function composeLayer(text: string): ComposeLayer | undefined {
  const value = yamlValue(text, () => YamlPlaces.of(text).document);
  // An empty file is one that adds nothing.
  if (value !== null && !isMapping(value)) return undefined;
  // Compose refuses a list of services, and a service that is a text.
  const services = value?.["services"] ?? {};
  if (!isMapping(services) || !Object.values(services).every((each) => each === null || isMapping(each)))
    return undefined;
  return { value: value ?? {}, reset: tagged(text, "!reset"), override: tagged(text, "!override") };
}

function tagged(text: string, tag: string): Set<string> {
  const found = new Set<string>();
  if (!text.includes(tag)) return found;
  visit(YamlPlaces.of(text).document, {
    Node: (_, node, path) => {
      if ((isScalar(node) || isCollection(node)) && node.tag === tag)
        found.add(
          pathText(path.flatMap((each) => (isPair(each) && isScalar(each.key) ? [String(each.key.value)] : []))),
        );
    },
  });
  return found;
}

function pathText(path: readonly string[]): string {
  return path.join("\0");
}

/**
 * The files of a stack as one value, as `docker compose config` combines them: a mapping is merged by key, a list is
 * added to, what Compose calls unique (a port, a mount's target, a variable) counts once, and the last one wins.
 * @see https://docs.docker.com/reference/compose-file/merge/
 */
export function combineLayers(layers: readonly ComposeLayer[]): Record<string, unknown> {
  let combined: Record<string, unknown> = {};
  for (const layer of layers) combined = mapping(combine(combined, layer.value, [], layer));
  return combined;
}

// Lists that are one value: the later one takes the place of the earlier one.
const REPLACED = /^services\0[^\0]+\0(?:command|entrypoint|healthcheck\0test)$/;
// What may be written as a list of KEY=VALUE or as a mapping.
const KEYED =
  /^(?:services\0[^\0]+\0(?:environment|labels|annotations|sysctls|extra_hosts|build\0args|build\0labels|deploy\0labels)|(?:networks|volumes)\0[^\0]+\0labels)$/;
// What may be written as a list of names or as a mapping.
const NAMED = /^services\0[^\0]+\0(?:networks|depends_on)$/;
const LISTED = /^services\0[^\0]+\0(?:dns|dns_search|dns_opt|env_file|tmpfs)$/;

function combine(below: unknown, above: unknown, path: readonly string[], layer: ComposeLayer): unknown {
  const where = pathText(path);
  if (layer.reset.has(where)) return undefined;
  if (layer.override.has(where) || below === undefined || below === null) return withoutResets(above, path, layer);
  if (above === null || above === undefined) return below;
  if (REPLACED.test(where)) return above;
  if (KEYED.test(where)) return { ...keyed(below), ...keyed(above) };
  if (NAMED.test(where)) return merged(named(below), named(above), path, layer);
  if (LISTED.test(where)) return [...listOf(below), ...listOf(above)];
  if (path.length === 3 && path[2] === "logging" && hasOtherDriver(below, above)) return above;
  if (isMapping(below) && isMapping(above)) return merged(below, above, path, layer);
  if (Array.isArray(below) && Array.isArray(above))
    return unique([...(below as unknown[]), ...(above as unknown[])], path);
  return above;
}

function merged(
  below: Record<string, unknown>,
  above: Record<string, unknown>,
  path: readonly string[],
  layer: ComposeLayer,
): Record<string, unknown> {
  const result = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const combined = combine(result.get(key), value, [...path, key], layer);
    if (combined === undefined) result.delete(key);
    else result.set(key, combined);
  }
  return Object.fromEntries(result);
}

/** A value that nothing lies below: its own `!reset` parts are gone all the same. */
function withoutResets(value: unknown, path: readonly string[], layer: ComposeLayer): unknown {
  if (layer.reset.size === 0 || !isMapping(value)) return value;
  return merged({}, value, path, layer);
}

function hasOtherDriver(below: unknown, above: unknown): boolean {
  const [before, after] = [mapping(below)["driver"], mapping(above)["driver"]];
  return before !== undefined && after !== undefined && before !== after;
}

function named(value: unknown): Record<string, unknown> {
  if (isMapping(value)) return value;
  return Object.fromEntries(listOf(value).flatMap((entry) => (isPlain(entry) ? [[String(entry), {}]] : [])));
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

/** Entries that stand for the same thing once, the last one. */
function unique(entries: readonly unknown[], path: readonly string[]): unknown[] {
  const kind = path.length === 3 && path[0] === "services" ? path[2] : undefined;
  const found = new Map<string, unknown>();
  for (const [index, entry] of entries.entries()) {
    const identity = identityOf(entry, kind) ?? `\0${String(index)}`;
    found.set(identity, entry);
  }
  return [...found.values()];
}

function identityOf(entry: unknown, kind: string | undefined): string | undefined {
  if (kind === "volumes") {
    if (typeof entry === "string") {
      const parts = splitColons(entry);
      return parts[1] ?? parts[0];
    }
    const { target } = mapping(entry);
    return typeof target === "string" ? target : undefined;
  }
  if (kind === "ports") {
    const port = portEntry(entry);
    return port === undefined ? undefined : [port.address, port.host, port.container, port.protocol].join("|");
  }
  if (kind === "configs" || kind === "secrets") {
    const { source, target } = mapping(entry);
    return isPlain(entry) ? String(entry) : isPlain(target ?? source) ? String(target ?? source) : undefined;
  }
  return isPlain(entry) && ["cap_add", "cap_drop", "devices", "expose", "security_opt"].includes(kind ?? "")
    ? String(entry)
    : undefined;
}
