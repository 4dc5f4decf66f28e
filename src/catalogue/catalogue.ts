import { once } from "../lib/once.ts";
import type { EnvEntry, Manifest, Preset } from "./manifest.ts";

/** A template file: its path inside the templates folder and its text. */
export interface Template {
  path: string;
  source: string;
  /** What Handlebars' precompiler made of it when the program was built; undefined for one that was edited since. */
  compiled: unknown;
}

/** Everything that was read from the templates folder, checked. Values only: render works from this alone. */
export interface Catalogue {
  services: ReadonlyMap<string, Manifest>;
  presets: ReadonlyMap<string, Preset>;
  commonEnv: readonly EnvEntry[];
  /** Template text by path, e.g. `services/qdrant/compose.yaml.hbs`. */
  templates: ReadonlyMap<string, Template>;
}

/** Services that can also be used from outside the stack: each has a key of its own in framework.yaml. */
export function externalServices(catalogue: Catalogue): Manifest[] {
  return [...catalogue.services.values()].filter((service) => service.external !== undefined);
}

/** Ids of the services that `--yes` takes, in the catalogue's order. */
export function defaultServices(catalogue: Catalogue): string[] {
  return [...catalogue.services.values()].filter((service) => service.default).map((service) => service.id);
}

export function requireService(catalogue: Catalogue, id: string): Manifest {
  const service = catalogue.services.get(id);
  if (service === undefined) throw new Error(`service ${id} is not in the catalogue`);
  return service;
}

export function fallbackPreset(catalogue: Catalogue): Preset {
  for (const preset of catalogue.presets.values()) if (preset.fallback) return preset;
  throw new Error("no preset is marked as fallback");
}

/**
 * The services in `wanted` and all they require, transitively; sorted by id so that
 * the result does not depend on the order of the answers.
 * @param wanted ids that exist in the catalogue
 */
export function withDependencies(catalogue: Catalogue, wanted: Iterable<string>): string[] {
  const found = new Set<string>();
  const visit = (id: string): void => {
    if (found.has(id)) return;
    found.add(id);
    for (const needed of requireService(catalogue, id).requires) visit(needed);
  };
  for (const id of wanted) visit(id);
  return [...found].toSorted();
}

/** Patterns of framework names that some service keeps for itself. */
export function reservedNames(catalogue: Catalogue): RegExp[] {
  return once(reserved, catalogue, () =>
    [...catalogue.services.values()].flatMap((service) =>
      service.reservedNames.map((pattern) => new RegExp(`^(?:${pattern})$`)),
    ),
  );
}

const reserved = new WeakMap<Catalogue, RegExp[]>();
