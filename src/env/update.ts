import { once } from "../lib/once.ts";
import { literalValue, quoteEnv, withSecrets, type Section, type Variable } from "./variables.ts";
import { parseDotenv, type Assignment } from "./dotenv.ts";

/** Values by variable. */
export type Rendered = Pick<ReadonlyMap<string, ReadonlySet<string>>, "get" | "has">;

/** Values that are read from their templates once somebody asks. */
export function lazily(make: () => Rendered): Rendered {
  let made: Rendered | undefined;
  return { get: (name) => (made ??= make()).get(name), has: (name) => (made ??= make()).has(name) };
}

export interface EnvChange {
  /** The file as it is. */
  text: string;
  /** Values that were rendered before, by variable, with references to secrets still written as `${NAME}`. */
  rendered: Rendered;
  /** Variables under the new spec. */
  after: readonly Section[];
  /** Of a change of the spec alone: the variables under the old spec. Whatever has one value under both stays. */
  before: readonly Section[] | undefined;
  /** Values that already exist, and new ones for names that had none. */
  secrets: ReadonlyMap<string, string>;
  /** Whether a variable that is no longer needed may go: it is one of ours, and no file names it. */
  mayGo: (name: string) => boolean;
}

interface Edit {
  start: number;
  end: number;
  text: string;
}

/**
 * `.env` after a change of the spec. Secrets and whatever the user added stay as they are, byte by byte;
 * a managed variable follows the spec only while it still has a value that was rendered before, and goes
 * when nothing needs it any more. One that is another's second name follows the user's value of that one. New lines go behind their neighbours, or at the end.
 */
export function updateEnv(change: EnvChange): string {
  const { text, after, before, secrets } = change;
  const current = parseDotenv(text);
  const old =
    before === undefined ? undefined : new Map(variablesOf(before).map((variable) => [variable.name, variable.value]));
  const edits: Edit[] = [];
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const appended: string[] = [];
  for (const { title, variables } of after) {
    const shown = variables.filter((variable) => variable.class !== "default");
    const missing: string[] = [];
    let neighbour: Assignment | undefined;
    for (const variable of shown) {
      const present = current.get(variable.name);
      const value = ownValue(variable.sameAs, current, change) ?? literalValue(variable, secrets);
      if (present === undefined) {
        if (isWanted(variable, change)) missing.push(`${variable.name}=${quoteEnv(value)}`);
        continue;
      }
      if (neighbour === undefined || present.end > neighbour.end) neighbour = present;
      // Empty as in `.env.template`: nothing was made yet that could be lost.
      if (variable.class === "secret" && present.value === "" && value !== "")
        edits.push({ start: present.start, end: present.end, text: quoteEnv(value) });
      if (variable.class !== "managed" || present.value === value) continue;
      if (old !== undefined && old.get(variable.name) === variable.value) continue;
      if (followsSpec(present.value, variable.name, change))
        edits.push({ start: present.start, end: present.end, text: quoteEnv(value) });
    }
    if (missing.length === 0) continue;
    if (neighbour === undefined) appended.push("", `# ${title}`, ...missing);
    else {
      const { lineEnd, gap } = lineOf(text, neighbour, eol);
      edits.push({ start: lineEnd, end: lineEnd, text: gap + missing.map((line) => line + eol).join("") });
    }
  }
  const needed = new Set(variablesOf(after).map(({ name }) => name));
  for (const [name, present] of current) {
    if (needed.has(name) || !change.mayGo(name) || !followsSpec(present.value, name, change)) continue;
    // Another line of the user's may be made from it.
    if (new RegExp(`\\$\\{?${name}\\b`).test(text)) continue;
    const { lineStart, lineEnd } = lineOf(text, present, eol);
    edits.push({ start: lineStart, end: lineEnd, text: "" });
  }
  const body = applied(text, edits);
  if (appended.length === 0) return body;
  const gap = body === "" || body.endsWith("\n") ? "" : eol;
  return `${body}${gap}${appended.join(eol)}${eol}`;
}

/** Managed variables that `.env` gives a value of the user's own. */
export function overriddenIn({ text, rendered, after, secrets }: Omit<EnvChange, "before" | "mayGo">): string[] {
  const current = parseDotenv(text);
  return variablesOf(after)
    .filter(({ class: kind }) => kind === "managed")
    .filter((variable) => {
      const present = current.get(variable.name);
      if (present === undefined || present.value === literalValue(variable, secrets)) return false;
      return !followsSpec(present.value, variable.name, { rendered, secrets });
    })
    .map(({ name }) => name);
}

/** The values in the text of an `.env.template`, as they were rendered. */
export function renderedValues(templates: readonly (string | undefined)[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const template of templates) {
    for (const line of template?.split(/\r?\n/) ?? []) {
      const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) continue;
      found.set(name, (found.get(name) ?? new Set()).add(value));
    }
  }
  return found;
}

/** The value that the user gave a variable; undefined when it has none, or one that was rendered. */
function ownValue(
  name: string | undefined,
  current: ReadonlyMap<string, Assignment>,
  change: Pick<EnvChange, "rendered" | "secrets">,
): string | undefined {
  const value = name === undefined ? undefined : current.get(name)?.value;
  return name === undefined || value === undefined || followsSpec(value, name, change) ? undefined : value;
}

/** What a user deleted stays deleted, but for what the stack cannot start without. */
function isWanted({ name, class: kind }: Variable, { rendered }: EnvChange): boolean {
  return kind === "secret" || kind === "managed" || !rendered.has(name);
}

/** Whether a value is one that was rendered before, so that nobody changed it. */
function followsSpec(
  value: string,
  name: string,
  { rendered, secrets }: Pick<EnvChange, "rendered" | "secrets">,
): boolean {
  return [...(rendered.get(name) ?? [])].some((template) => withSecrets(template, secrets) === value);
}

function variablesOf(sections: readonly Section[]): Variable[] {
  return once(flat, sections, () => sections.flatMap((section) => section.variables));
}

const flat = new WeakMap<readonly Section[], Variable[]>();

/** The line of an assignment: `gap` is the line end that has to be added when it is the last one and has none. */
function lineOf(
  text: string,
  { start, end }: Assignment,
  eol: string,
): { lineStart: number; lineEnd: number; gap: string } {
  const feed = text.indexOf("\n", end);
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  return { lineStart, lineEnd: feed === -1 ? text.length : feed + 1, gap: feed === -1 ? eol : "" };
}

function applied(text: string, edits: readonly Edit[]): string {
  let body = text;
  // From the end, so that the places before an edit stay where they are.
  for (const { start, end, text: value } of edits.toSorted((a, b) => b.start - a.start || b.end - a.end)) {
    body = `${body.slice(0, start)}${value}${body.slice(end)}`;
  }
  return body;
}
