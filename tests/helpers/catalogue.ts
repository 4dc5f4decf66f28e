import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { loadCatalogue } from "../../src/catalogue/load.ts";
import { ClaimTable } from "../../src/ports/claim.ts";
import { givePorts, withPorts } from "../../src/ports/give.ts";
import { envSections, secretsOf } from "../../src/env/variables.ts";
import { render } from "../../src/render/render.ts";
import type { Tree } from "../../src/render/tree.ts";
import { normalise } from "../../src/spec/normalise.ts";
import type { Draft, Spec } from "../../src/spec/schema.ts";
import { TEMPLATES } from "./project.ts";

let loaded: Promise<Catalogue> | undefined;

/** The built-in catalogue, read once. */
export function builtIn(): Promise<Catalogue> {
  loaded ??= loadCatalogue(TEMPLATES);
  return loaded;
}

/** A complete spec on an empty host: every default filled, ports of the table. */
export async function specOf(draft: Draft, ports: ReadonlyMap<string, number> = new Map()): Promise<Spec> {
  const catalogue = await builtIn();
  const { spec, typed } = normalise({ draft, ports }, catalogue);
  const emptyHost = { claims: new ClaimTable(), listening: () => Promise.resolve(false) };
  const allocation = await givePorts(spec, typed, emptyHost, catalogue);
  return withPorts(spec, allocation.ports);
}

/** Secrets that say which variable they belong to, in the form of the real ones. */
export function plainSecrets(spec: Spec, catalogue: Catalogue): Map<string, string> {
  const needed = secretsOf(envSections(spec, catalogue));
  return new Map(needed.map(({ name, prefix }) => [name, `${prefix}${name.toLowerCase()}`]));
}

/** The whole directory of a draft, as `new-framework` would write it on an empty host. */
export async function treeOf(draft: Draft, ports?: ReadonlyMap<string, number>): Promise<Tree> {
  const catalogue = await builtIn();
  const spec = await specOf(draft, ports);
  return render(spec, catalogue, plainSecrets(spec, catalogue));
}
