import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Spec } from "../spec/schema.ts";
import { buildContext } from "./context.ts";
import { engineFor, type Precompiled } from "./engine.ts";
import { literalValue, quoteEnv } from "./env.ts";
import { MODE, TreeBuilder, type Tree } from "./tree.ts";

/**
 * The whole directory of a framework, in memory. Pure: the same input gives the same bytes;
 * no clock, no randomness, no file system, no locale.
 * @param secrets value of every secret by variable name
 */
export async function render(
  spec: Spec,
  catalogue: Catalogue,
  secrets: ReadonlyMap<string, string>,
  precompiled: Precompiled = new Map(),
): Promise<Tree> {
  const engine = await engineFor(catalogue.templates, precompiled);
  const context = buildContext(spec, catalogue);
  const tree = new TreeBuilder();

  const fragments = (file: string): { id: string; text: string }[] =>
    context.services.flatMap((service) => {
      const path = `services/${service.id}/${file}`;
      return catalogue.templates.has(path)
        ? [{ id: service.id, text: engine.render(path, { ...context, service }).trimEnd() }]
        : [];
    });
  const parts = {
    compose: fragments("compose.yaml.hbs"),
    readme: fragments("readme.md.hbs"),
    recovery: fragments("recovery.md.hbs"),
    connect: fragments("connect.py.hbs"),
  };
  for (const path of catalogue.templates.keys()) {
    const target = targetOf(path, spec);
    if (target === undefined) continue;
    const content = (): string =>
      path.endsWith(".hbs")
        ? engine.render(path, { ...context, parts })
        : (catalogue.templates.get(path)?.source ?? "");
    // What is not compared with a base is made only for a new directory.
    tree.add(target, target === SPEC_FILE ? content : content(), target.endsWith(".sh") ? MODE.script : MODE.file);
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
  tree.add(".env", () => engine.render("framework/env.hbs", env()), MODE.secret);
  return tree.build();
}

const SPEC_FILE = "framework.yaml";

/** Where a template's output goes, or undefined for one that makes no file of its own (for this spec). */
function targetOf(path: string, spec: Spec): string | undefined {
  const emitted = /^framework\/emit\/(.+)$/.exec(path)?.[1];
  if (emitted !== undefined) return stripEnding(emitted);
  const config = /^services\/([^/]+)\/config\/(.+)$/.exec(path);
  if (config?.[1] !== undefined && config[2] !== undefined && config[1] in spec.services)
    return `config/${config[1]}/${stripEnding(config[2])}`;
  return undefined;
}

/**
 * `x.yaml.hbs` -> `x.yaml`. A leading `dot-` stands for `.`: a live `.gitignore` among
 * the templates would act on the templates.
 */
function stripEnding(path: string): string {
  return path
    .replace(/\.hbs$/, "")
    .split("/")
    .map((part) => part.replace(/^dot-/, "."))
    .join("/");
}
