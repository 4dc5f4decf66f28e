import type HandlebarsTypes from "handlebars";
import runtime from "handlebars/runtime.js";

import type { Template } from "../catalogue/catalogue.ts";
import { usageError, UserError } from "../lib/errors.ts";
import { once } from "../lib/once.ts";
import { quotedForShell } from "../lib/shell.ts";

// The runtime has no types of its own; it is the full Handlebars without its compiler.
const Handlebars = runtime as unknown as typeof HandlebarsTypes;

export interface Engine {
  /** Renders a template of the catalogue by its path. */
  render: (path: string, context: object) => string;
}

/**
 * An own Handlebars instance: strict (a missing value is an error, not an empty string),
 * without HTML escaping (these are YAML, shell and Markdown files), shared with nobody.
 * One for all frameworks of a run: preparing it costs as much as rendering a directory.
 * @param templates every template; those below a `partials/` folder are partials, by file name
 */
export async function engineFor(templates: ReadonlyMap<string, Template>): Promise<Engine> {
  return once(engines, templates, async () => createEngine(templates));
}

const engines = new WeakMap<ReadonlyMap<string, Template>, Promise<Engine>>();

async function createEngine(templates: ReadonlyMap<string, Template>): Promise<Engine> {
  const handlebars = Handlebars.create();
  handlebars.registerHelper(HELPERS);
  // It writes to standard output, and would take the place of a value of that name.
  handlebars.registerHelper("log", () => {
    throw new Error("there is no helper `log`");
  });
  const compile = await compilerFor(templates);
  const compiled = new Map<string, HandlebarsTemplateDelegate>();

  const templateOf = (path: string): HandlebarsTemplateDelegate => {
    const cached = compiled.get(path);
    if (cached !== undefined) return cached;
    const template = templates.get(path);
    if (template === undefined) throw new Error("it is missing");
    // What Handlebars' own precompiler made; the catalogue carries it as an unknown value.
    const made = handlebars.template((template.compiled ?? compile(template)) as TemplateSpecification);
    compiled.set(path, made);
    return made;
  };
  for (const path of templates.keys()) {
    const name = /(?:^|\/)partials\/([^/]+)\.hbs$/.exec(path)?.[1];
    if (name === undefined) continue;
    // As a function of ours, so that an error in it is said to be in it, not in the template that includes it.
    const partial: HandlebarsTemplateDelegate = (context, options) =>
      named(path, () => templateOf(path)(context, options));
    handlebars.registerPartial(name, partial);
  }
  return {
    render: (path, context) =>
      named(path, () => {
        const template = templateOf(path);
        const text = template(context);
        // Handlebars prepares its helpers anew for every call of a template; nothing here changes between two calls.
        Object.assign(template, { _setup: () => undefined });
        return text;
      }),
  };
}

/** @throws UserError that names the template in which something went wrong */
function named(path: string, make: () => string): string {
  try {
    return make();
  } catch (error) {
    throw error instanceof UserError ? error : templateError(path, error);
  }
}

/** Whoever edits a template is to be told where, not shown a trace of ours. */
function templateError(path: string, error: unknown): UserError {
  const message = error instanceof Error ? error.message : String(error);
  const [, helper, place] = /^You specified .* the unknown helper ([^]+) - (\d+:\d+)$/.exec(message) ?? [];
  return usageError(
    `template ${path}: ${helper === undefined ? message : `there is no helper ${helper} - ${place ?? ""}`}`,
    "fix the template; docs/writing-a-service.md says what it can use",
    [],
    "template",
  );
}

/** Compiles what the build did not; Handlebars' compiler is loaded only when there is such a template. */
async function compilerFor(templates: ReadonlyMap<string, Template>): Promise<(template: Template) => unknown> {
  if (isBuiltIn(templates)) {
    return (template) => {
      throw new Error(`${template.path} was not compiled`);
    };
  }
  const { default: full } = await import("handlebars");
  return (template) => {
    // Handlebars types its result as anything; it is the text of a JavaScript object literal.
    const code = full.precompile(template.source, COMPILE_OPTIONS) as string;
    // What Handlebars' own compile() does, but for the runtime's instance: whoever gives a templates
    // folder gives code, as with any generator.
    // oxlint-disable-next-line typescript/no-implied-eval
    return new Function(`return ${code};`)() as unknown;
  };
}

/** Whether every template is one that the build compiled, so that the tests of this project have seen it. */
export function isBuiltIn(templates: ReadonlyMap<string, Template>): boolean {
  return once(builtIn, templates, () => ({
    answer: [...templates.values()].every(({ path, compiled }) => !path.endsWith(".hbs") || compiled !== undefined),
  })).answer;
}

const builtIn = new WeakMap<ReadonlyMap<string, Template>, { answer: boolean }>();

/** Helpers that templates may use; each one's output is safe in the place its name says. */
const HELPERS = {
  /** A double-quoted YAML scalar (JSON is a subset of YAML); also valid in JSON and Python. */
  quote: (value: unknown) => quoted(String(value)),
  /** A plain YAML scalar, quoted only where YAML would read something else than text. */
  scalar: (value: unknown) =>
    /^(?:true|false|null|yes|no|on|off|y|n)$/i.test(String(value)) ? quoted(String(value)) : String(value),
  /** Text in Markdown: what has a meaning there, or would have one at a line's start, is escaped. */
  md: (value: unknown) =>
    String(value)
      .trim()
      .replaceAll(/[\\`*_[\]<>|~$&]/g, String.raw`\$&`)
      .replace(/^(\d*)([-#+=.)])/, String.raw`$1\$2`),
  /** One word of a shell script. */
  shell: (value: unknown) => quotedForShell(String(value)),
  eq: (a: unknown, b: unknown) => a === b,
  or: (...values: unknown[]) => values.slice(0, -1).some(Boolean),
  and: (...values: unknown[]) => values.slice(0, -1).every(Boolean),
  not: (value: unknown) => ![value].some(Boolean),
  join: (values: unknown, separator: unknown) => (Array.isArray(values) ? values.join(String(separator)) : ""),
  /** Each line of a text with something before it: `{{lines text "# "}}`. */
  lines: (text: unknown, before: unknown) =>
    String(text)
      .trimEnd()
      .split("\n")
      .map((line) => `${String(before)}${line}`.trimEnd())
      .join("\n"),
  /** Wraps a paragraph at 100 columns with something before each line. */
  wrap: (text: unknown, before: unknown) => wrapped(String(text), String(before)),
  /** Fills up to a width, so that columns line up. */
  pad: (value: unknown, width: unknown) => String(value).padEnd(Number(width)),
};

/**
 * The options that precompiling and compiling must share, or an edited template would render differently. That all
 * helpers are known spares a template the question, at every variable, whether a helper of that name exists.
 */
export const COMPILE_OPTIONS = {
  noEscape: true,
  strict: true,
  preventIndent: false,
  knownHelpersOnly: true,
  knownHelpers: Object.fromEntries(Object.keys(HELPERS).map((name) => [name, true])),
};

export function quoted(value: string): string {
  // JSON allows a few characters raw that YAML does not.
  return JSON.stringify(value).replaceAll(
    /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

// The same descriptions stand in every framework's files; by what is before a line, then by text.
const wraps = new Map<string, Map<string, string>>();

function wrapped(text: string, before: string): string {
  const known = once(wraps, before, () => new Map<string, string>());
  const made = known.get(text) ?? wrap(text, before);
  // Bounded: a description of the user's own may stand in each of many frameworks.
  if (known.size < 1000) known.set(text, made);
  return made;
}

function wrap(text: string, before: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    if (line !== "" && before.length + line.length + 1 + word.length > 100) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((each) => `${before}${each}`.trimEnd()).join("\n");
}

type TemplateSpecification = Parameters<(typeof Handlebars)["template"]>[0];
