import { isMapping } from "../lib/mapping.ts";

/** Splits short syntax at its colons; those inside `${…}` and `[…]` do not count. */
export function splitColons(text: string): string[] {
  const found = [""];
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const letter = text.charAt(index);
    if (letter === "[" || (letter === "{" && text[index - 1] === "$")) depth += 1;
    else if ((letter === "}" || letter === "]") && depth > 0) depth -= 1;
    if (letter === ":" && depth === 0) found.push("");
    else found[found.length - 1] += letter;
  }
  return found;
}

/** The variable that a text begins with: `${NAME…}` or `$NAME`; null when there is none. */
export function variableIn(text: string): string | null {
  return /^\$\{?([A-Za-z_][A-Za-z0-9_]*)/.exec(text)?.[1] ?? null;
}

/** What may be written as a mapping, or as a list of `KEY=VALUE`; a key without a value has null. */
export function keyed(value: unknown): Record<string, unknown> {
  if (isMapping(value)) return value;
  const entries = (Array.isArray(value) ? (value as unknown[]) : []).flatMap((entry): [string, unknown][] => {
    if (!isPlain(entry)) return [];
    const [, key = "", rest] = /^([^=]*)(?:=([\s\S]*))?$/.exec(String(entry)) ?? [];
    return [[key, rest ?? null]];
  });
  return Object.fromEntries(entries);
}

/** A text or a number: both are how people write ports and targets. */
export function isPlain(value: unknown): value is string | number {
  return typeof value === "string" || typeof value === "number";
}
