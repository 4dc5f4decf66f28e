import type { Template } from "../catalogue/catalogue.ts";
import { once } from "../lib/once.ts";
import { MODE } from "./tree.ts";

/** A file that a template makes. */
export interface Output {
  /** Of the template. */
  path: string;
  /** Inside the framework's directory. */
  target: string;
  /** The service that it belongs to, or undefined for one that every framework has. */
  service: string | undefined;
  mode: number;
}

type Templates = ReadonlyMap<string, Template>;

// One list for all frameworks of a run.
const outputs = new WeakMap<Templates, Output[]>();
const parts = new WeakMap<Templates, Set<string>>();

/**
 * The templates that make a file of their own, and where it goes: `framework/emit/PATH` in every directory,
 * `services/ID/emit/PATH` where the service is part of the stack.
 */
export function outputsOf(templates: Templates): readonly Output[] {
  return once(outputs, templates, () => [...templates.values()].flatMap(outputOf));
}

function outputOf({ path, source }: Template): Output[] {
  const [, service, file] = /^(?:framework|services\/([^/]+))\/emit\/(.+)$/.exec(path) ?? [];
  if (file === undefined) return [];
  // Whatever says by which program it is to be run can be run.
  return [{ path, target: targetOf(file), service, mode: source.startsWith("#!") ? MODE.script : MODE.file }];
}

/**
 * `x.yaml.hbs` -> `x.yaml`. A leading `dot-` becomes `.`: a live `.gitignore` among
 * the templates would act on the templates.
 */
function targetOf(path: string): string {
  return path
    .replace(/\.hbs$/, "")
    .split("/")
    .map((part) => part.replace(/^dot-/, "."))
    .join("/");
}

/**
 * Names of the parts that templates of the framework can use as `parts.NAME`: `compose`, every
 * `services/ID/parts/NAME.hbs` and `services/ID/external/NAME.hbs`, and what those templates ask for; a part that no
 * service has is an empty list.
 */
export function partsOf(templates: Templates): ReadonlySet<string> {
  return once(parts, templates, () => {
    const found = new Set(["compose"]);
    for (const { path, source } of templates.values()) {
      const name = /^services\/[^/]+\/(?:parts|external)\/([^/]+)\.hbs$/.exec(path)?.[1];
      if (name !== undefined) found.add(name);
      if (!path.startsWith("framework/")) continue;
      for (const [, asked] of source.matchAll(/\bparts\.([A-Za-z_][\w-]*)/g)) if (asked !== undefined) found.add(asked);
    }
    return found;
  });
}
