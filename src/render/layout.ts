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
const parts = new WeakMap<Templates, Map<string, PartSource[]>>();

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

const COMPOSE_PART = "compose";

/** A template that adds something to a file of the framework. */
export interface PartSource {
  /** Of the template. */
  path: string;
  /** The service that it belongs to. */
  service: string;
  /** `external`: for a service that is used from outside the stack; `parts`: for one that runs in it. */
  folder: "parts" | "external";
}

/**
 * The parts that templates of the framework can use as `parts.NAME`: `compose`, made by `services/ID/compose.yaml.hbs`
 * alone; every `services/ID/parts/NAME.hbs` and `services/ID/external/NAME.hbs`; and what those templates ask for. A
 * part that no service has is an empty list.
 * @returns the templates of each, by its name
 */
export function partsOf(templates: Templates): ReadonlyMap<string, readonly PartSource[]> {
  return once(parts, templates, () => {
    const found = new Map<string, PartSource[]>([[COMPOSE_PART, []]]);
    for (const { path, source } of templates.values()) {
      const [, service, compose, folder, part] =
        /^services\/([^/]+)\/(?:(compose)\.yaml|(parts|external)\/([^/]+))\.hbs$/.exec(path) ?? [];
      const name = compose ?? part;
      if (service !== undefined && name !== undefined && part !== COMPOSE_PART)
        once(found, name, () => []).push({ path, service, folder: folder === "external" ? "external" : "parts" });
      if (!path.startsWith("framework/")) continue;
      for (const [, asked] of source.matchAll(/\bparts\.([A-Za-z_][\w-]*)/g))
        if (asked !== undefined) once(found, asked, () => []);
    }
    return found;
  });
}
