import type { Catalogue, Template } from "../catalogue/catalogue.ts";
import { literalValue, quoteEnv } from "../env/variables.ts";
import type { Spec } from "../spec/schema.ts";
import { buildContext, type Context } from "./context.ts";
import { engineFor, type Engine } from "./engine.ts";
import { outputsOf, partsOf } from "./layout.ts";
import { MODE, TreeBuilder, type Tree } from "./tree.ts";

/**
 * The whole directory of a framework, in memory. Pure: the same input gives the same bytes;
 * no clock, no randomness, no file system, no locale.
 * @param secrets value of every secret by variable name
 */
export async function render(spec: Spec, catalogue: Catalogue, secrets: ReadonlyMap<string, string>): Promise<Tree> {
  const { templates } = catalogue;
  const engine = await engineFor(templates);
  const context = buildContext(spec, catalogue);
  const tree = new TreeBuilder();
  const withParts = { ...context, parts: renderParts(context, templates, engine) };
  for (const { path, target, service, mode } of outputsOf(templates)) {
    if (service !== undefined && !(service in spec.services)) continue;
    const content = (): string =>
      path.endsWith(".hbs") ? engine.render(path, withParts) : (templates.get(path)?.source ?? "");
    // What is not compared with a base is made only for a new directory.
    tree.add(target, target === SPEC_FILE ? content : content(), mode, path);
  }
  const env = (): object => ({
    ...context,
    sections: context.sections.map((section) => ({
      ...section,
      shown: section.variables
        .filter((variable) => variable.class !== "default")
        .map((variable) => ({ ...variable, line: `${variable.name}=${quoteEnv(literalValue(variable, secrets))}` })),
    })),
  });
  tree.add(".env", () => engine.render("framework/env.hbs", env()), MODE.secret, "framework/env.hbs");
  return tree.build();
}

const SPEC_FILE = "framework.yaml";

interface Part {
  id: string;
  text: string;
}

/**
 * The parts that the services of a stack add to the files of the framework, by name, each made when a template asks
 * for it. A service that is used from outside has others than one that runs here.
 */
function renderParts(
  context: Context,
  templates: ReadonlyMap<string, Template>,
  engine: Engine,
): Record<string, Part[]> {
  const make = (folder: string, name: string): Part[] => {
    const views =
      folder === "external" ? context.externals.filter(({ mode }) => mode === "external") : context.services;
    return views.flatMap((service) => {
      const path =
        name === "compose" ? `services/${service.id}/compose.yaml.hbs` : `services/${service.id}/${folder}/${name}.hbs`;
      if (!templates.has(path)) return [];
      return [{ id: service.id, text: engine.render(path, { ...context, service }).trimEnd() }];
    });
  };
  const parts = {};
  for (const name of partsOf(templates)) {
    let made: Part[] | undefined;
    const get = (): Part[] =>
      (made ??= [...make("parts", name), ...(name === "compose" ? [] : make("external", name))]);
    Object.defineProperty(parts, name, { enumerable: true, get });
  }
  return parts;
}
