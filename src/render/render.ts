import type { Catalogue, Template } from "../catalogue/catalogue.ts";
import { literalValue, quoteEnv } from "../env/variables.ts";
import type { Spec } from "../spec/schema.ts";
import { buildContext, type Context } from "./context.ts";
import { engineFor, type Engine } from "./engine.ts";
import { outputsOf, partsOf, type PartSource } from "./layout.ts";
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
  const views = {
    parts: new Map(context.services.map((service) => [service.id, { ...context, service }])),
    external: new Map(
      context.externals
        .filter(({ mode }) => mode === "external")
        .map((service) => [service.id, { ...context, service }]),
    ),
  };
  const make = (sources: readonly PartSource[], folder: PartSource["folder"]): Part[] =>
    [...views[folder]].flatMap(([id, view]) => {
      const source = sources.find((each) => each.service === id && each.folder === folder);
      return source === undefined ? [] : [{ id, text: engine.render(source.path, view).trimEnd() }];
    });
  const parts = {};
  for (const [name, sources] of partsOf(templates)) {
    let made: Part[] | undefined;
    const get = (): Part[] => (made ??= [...make(sources, "parts"), ...make(sources, "external")]);
    Object.defineProperty(parts, name, { enumerable: true, get });
  }
  return parts;
}
