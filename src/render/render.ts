import type { Catalogue } from "../catalogue/catalogue.ts";
import { once } from "../once.ts";
import type { Spec } from "../spec/schema.ts";
import { buildContext } from "./context.ts";
import { engineFor, NOT_COMPILED, type Precompiled } from "./engine.ts";
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
  precompiled: Precompiled = NOT_COMPILED,
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
  for (const { path, target, service, mode } of outputsOf(catalogue)) {
    if (service !== undefined && !(service in spec.services)) continue;
    const content = (): string =>
      path.endsWith(".hbs")
        ? engine.render(path, { ...context, parts })
        : (catalogue.templates.get(path)?.source ?? "");
    // What is not compared with a base is made only for a new directory.
    tree.add(target, target === SPEC_FILE ? content : content(), mode);
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

/** A file that a template makes. */
interface Output {
  path: string;
  target: string;
  /** The service that it belongs to, or undefined for one that every framework has. */
  service: string | undefined;
  mode: number;
}

// One list for all frameworks of a run.
const outputs = new WeakMap<Catalogue["templates"], Output[]>();

/** The templates that make a file of their own, and where it goes. */
function outputsOf({ templates }: Catalogue): Output[] {
  return once(outputs, templates, () => [...templates.keys()].flatMap(outputOf));
}

function outputOf(path: string): Output[] {
  const emitted = /^framework\/emit\/(.+)$/.exec(path)?.[1];
  const [, service, config] = /^services\/([^/]+)\/config\/(.+)$/.exec(path) ?? [];
  const file = emitted ?? (service === undefined || config === undefined ? undefined : `config/${service}/${config}`);
  if (file === undefined) return [];
  const target = stripEnding(file);
  return [{ path, target, service, mode: target.endsWith(".sh") ? MODE.script : MODE.file }];
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
