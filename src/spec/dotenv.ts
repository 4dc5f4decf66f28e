import { interpolate } from "./interpolate.ts";

/** One assignment of a `.env` file. */
export interface Assignment {
  name: string;
  /** The value as Compose would see it: unquoted, comment removed, interpolated. */
  value: string;
  /** Index of its first line, from 0. */
  line: number;
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:]([\s\S]*)$/;

/**
 * Reads a `.env` file as Docker Compose does: `export`, single quotes (literal),
 * double quotes (escapes, interpolation, may span lines), ` #` comments, `$` interpolation of
 * what stands above. The last assignment of a name wins. Lines it cannot read are passed over.
 */
export function parseDotenv(text: string): Map<string, Assignment> {
  const found = new Map<string, Assignment>();
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const lookup = (name: string): string | undefined => found.get(name)?.value;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (/^\s*(?:#|$)/.test(line)) continue;
    const match = ASSIGNMENT.exec(line);
    if (match === null) continue;
    const [, name = "", rawRest = ""] = match;
    const start = index;
    let rest = rawRest.trimStart();
    const quote = rest[0];
    if (quote === '"' || quote === "'") {
      let end = closingQuote(rest, quote);
      while (end === -1 && index + 1 < lines.length) {
        index += 1;
        rest += `\n${lines[index] ?? ""}`;
        end = closingQuote(rest, quote);
      }
      const body = end === -1 ? rest.slice(1) : rest.slice(1, end);
      found.set(name, { name, value: quote === "'" ? body : interpolate(unescape(body), lookup), line: start });
    } else {
      found.set(name, { name, value: interpolate(withoutComment(rest), lookup), line: start });
    }
  }
  return found;
}

/** The values alone, by name. */
export function dotenvValues(text: string): Map<string, string> {
  return new Map([...parseDotenv(text).values()].map((entry) => [entry.name, entry.value]));
}

function closingQuote(text: string, quote: string): number {
  for (let at = 1; at < text.length; at += 1) {
    if (quote === '"' && text[at] === "\\") at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

function unescape(body: string): string {
  const simple: Record<string, string> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$$" };
  return body.replaceAll(/\\([\s\S])/g, (whole, letter: string) => simple[letter] ?? whole);
}

function withoutComment(text: string): string {
  if (text.startsWith("#")) return "";
  const comment = /[ \t]#/.exec(text);
  return (comment === null ? text : text.slice(0, comment.index)).trim();
}
