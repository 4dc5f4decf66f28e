/**
 * Compose's variable interpolation: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`,
 * `${NAME:?message}`, `${NAME?message}`, `${NAME:+other}`, `${NAME+other}`, nested, and `$$` for a dollar.
 * A required variable that is missing counts as empty here: this reads what others wrote, it does not run it.
 * @param growth how many characters longer than the text the result may be; one that would be longer stays as it is
 *   written (thirty lines that each name the line before twice would fill the memory)
 * @see https://docs.docker.com/reference/compose-file/interpolation/
 */
export function interpolate(text: string, lookup: Lookup, growth: number = MAX_GROWTH): string {
  const expanded = expand(text, lookup, text.length + growth, 0);
  return expanded.length > text.length + growth ? text : expanded;
}

/** More than all values of a file grow by that any person has written. */
export const MAX_GROWTH = 64 * 1024;

type Lookup = (name: string) => string | undefined;

// Nesting that no person writes; keeps a hostile file from exhausting the stack.
const MAX_DEPTH = 20;

function expand(text: string, lookup: Lookup, limit: number, depth: number): string {
  if (depth > MAX_DEPTH || !text.includes("$")) return text;
  let out = "";
  let at = 0;
  while (at < text.length && out.length <= limit) {
    const dollar = text.indexOf("$", at);
    if (dollar === -1) return out + text.slice(at);
    out += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === "$") {
      out += "$";
      at = dollar + 2;
    } else if (next === "{") {
      const end = closingBrace(text, dollar + 2);
      if (end === -1) return out + text.slice(dollar);
      out += braced(text.slice(dollar + 2, end), lookup, limit, depth);
      at = end + 1;
    } else {
      const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(dollar + 1, dollar + 257))?.[0];
      if (name === undefined) {
        out += "$";
        at = dollar + 1;
      } else {
        out += lookup(name) ?? "";
        at = dollar + 1 + name.length;
      }
    }
  }
  return out;
}

function closingBrace(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "$" && text[at + 1] === "{") open += 1;
    else if (text[at] === "}") {
      open -= 1;
      if (open === 0) return at;
    }
  }
  return -1;
}

/** Whether a text holds a `${` that Compose refuses: not closed, or not followed by a name and what may come after it. */
export function hasBadTemplate(text: string): boolean {
  for (let dollar = text.indexOf("$"); dollar !== -1; dollar = text.indexOf("$", dollar)) {
    if (text[dollar + 1] !== "{") {
      dollar += text[dollar + 1] === "$" ? 2 : 1;
      continue;
    }
    const end = closingBrace(text, dollar + 2);
    if (end === -1 || !BRACED.test(text.slice(dollar + 2, end))) return true;
    // What is nested in a default is looked at as well.
    dollar += 2;
  }
  return false;
}

const BRACED = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])([\s\S]*))?$/;

function braced(inner: string, lookup: Lookup, limit: number, depth: number): string {
  const match = BRACED.exec(inner);
  if (match === null) return "";
  const [, name = "", operator, rest = ""] = match;
  const value = lookup(name);
  const present = operator?.startsWith(":") === true ? value !== undefined && value !== "" : value !== undefined;
  const otherwise = operator?.at(-1);
  if (otherwise === "-" && !present) return expand(rest, lookup, limit, depth + 1);
  if (otherwise === "+") return present ? expand(rest, lookup, limit, depth + 1) : "";
  return value ?? "";
}
