import { everyAssignment } from "../env/dotenv.ts";
import { quoteEnv } from "../env/variables.ts";

const HIDDEN = "[redacted]";

// Found in any place; a shorter one only where it stands by itself, or it would hide half of a text.
const LONG = 8;

/**
 * The text with every secret replaced, in each form that it may have taken: as it is, quoted, with its dollars doubled
 * for Compose, as part of a URL, in base64, and line by line.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let out = text;
  for (const form of formsOf(secrets)) {
    if (form.length >= LONG) out = out.replaceAll(form, HIDDEN);
    else out = out.replaceAll(new RegExp(`(?<![A-Za-z0-9_])${escaped(form)}(?![A-Za-z0-9_])`, "g"), HIDDEN);
  }
  return out;
}

/** Longest first: a short one may be a part of a long one. */
function formsOf(secrets: readonly string[]): string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.trim() === "") continue;
    const lines = secret.includes("\n") ? secret.split("\n").map((line) => line.trim()) : [];
    for (const each of [secret, ...lines]) {
      const url = encodeURIComponent(each);
      for (const form of [
        each,
        url,
        url.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
        JSON.stringify(each).slice(1, -1),
        each.replaceAll("$", "$$$$"),
        each.replaceAll("'", "''"),
        quoteEnv(each).replaceAll(/^["']|["']$/g, ""),
        Buffer.from(each).toString("base64").replace(/=+$/, ""),
      ])
        if (form !== "") forms.add(form);
    }
  }
  return [...forms].toSorted((a, b) => b.length - a.length);
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

/**
 * `.env` with the values that may be shown. Hidden are all others, also where an assignment is commented out, and
 * every line that is neither a comment nor an assignment.
 * @param visible names of the variables whose values may be shown
 */
export function redactEnv(text: string, visible: ReadonlySet<string>): string {
  const pieces: string[] = [];
  let at = 0;
  const assignments = everyAssignment(text);
  // Of several values of one name, only the last one is in force, and only that one may follow the spec.
  const last = new Map(assignments.map(({ name }, index) => [name, index]));
  for (const [index, { name, start, end }] of assignments.entries()) {
    pieces.push(between(text.slice(at, start), { beforeValue: true, afterValue: at > 0 }));
    const written = text.slice(start, end);
    pieces.push((visible.has(name) && last.get(name) === index) || written.trim() === "" ? written : HIDDEN);
    at = end;
  }
  pieces.push(between(text.slice(at), { beforeValue: false, afterValue: at > 0 }));
  return pieces.join("");
}

/**
 * What stands between two values: the rest of the first one's line, comments, what nobody can read, and the name of
 * the second.
 */
function between(text: string, { beforeValue, afterValue }: { beforeValue: boolean; afterValue: boolean }): string {
  const lines = text.split("\n");
  return lines
    .map((line, index) => {
      if (beforeValue && index === lines.length - 1 && !(afterValue && index === 0)) return line;
      const [, head, value = ""] = /^(\s*#[# \t-]*(?:export[ \t]+)?[A-Za-z_][\w.-]*[ \t]*[=:])(.*)$/.exec(line) ?? [];
      if (head !== undefined) return value.trim() === "" ? line : `${head}${HIDDEN}`;
      return /^\s*(?:#.*)?$/.test(line) ? line : HIDDEN;
    })
    .join("\n");
}
