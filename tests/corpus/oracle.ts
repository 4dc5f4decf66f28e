import { type CST, Lexer, Parser, parse } from "yaml";

import type { Pair } from "./corpus.ts";

/** What a merge gave: its text, or undefined for a conflict. */
export type Result = string | undefined;

/**
 * - `right`: clean, and equivalent to what is expected
 * - `wrong`: clean, but something else
 * - `refused`: a conflict where there is none
 * - `conflict`: a conflict where there is one
 * - `silent`: clean, where the edits contradict each other
 */
export type Verdict = "right" | "wrong" | "refused" | "conflict" | "silent";

/** Judges a merge, by what the corpus declares and by the text that both edits give when made one after the other. */
export function judge(pair: Pair, result: Result): Verdict {
  if (pair.expected.length === 0) return result === undefined ? "conflict" : "silent";
  if (result === undefined) return "refused";
  return pair.expected.some((expected) => equivalent(pair, result, expected)) ? "right" : "wrong";
}

function equivalent(pair: Pair, result: string, expected: string): boolean {
  if (pair.ours.includes("\r\n") && /(?<!\r)\n/.test(result)) return false;
  const [got, wanted, ours] = [result, expected, pair.ours].map((text) => text.replaceAll("\r\n", "\n")) as [string, string, string];
  // Two variables that are new at one place may stand in either order.
  if (pair.file === ".env.template") return variables(got) === variables(wanted);
  if (!pair.file.endsWith(".yaml")) return got === wanted;
  return (
    JSON.stringify(comparable(parsed(got), [])) === JSON.stringify(comparable(parsed(wanted), [])) &&
    comments(got).join("\n") === comments(wanted).join("\n") &&
    keepsLines(got, wanted, ours)
  );
}

/** Each variable with the lines above it, sorted. */
function variables(text: string): string {
  const blocks = text.split(/(?<=^(?:# ?)?[A-Z][A-Z0-9_]*=.*\n)/m);
  return [...blocks.slice(0, -1).toSorted(), blocks.at(-1)].join("");
}

function parsed(text: string): unknown {
  try {
    return parse(text, { merge: true });
  } catch (error) {
    return `broken: ${String(error)}`;
  }
}

// What Compose reads as sets; written down here a second time on purpose.
const SETS = /^services\.[^.]+\.(?:ports|volumes|networks|cap_drop|security_opt|tmpfs|depends_on|environment)$/;

function comparable(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => JSON.stringify(comparable(item, path)));
    return SETS.test(path.join(".")) ? items.toSorted() : items;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => [key, comparable(each, [...path, key])]);
}

/** Every comment of a YAML text, sorted: none may be lost, doubled or made up. */
function comments(text: string): string[] {
  const found: string[] = [];
  for (const token of new Parser().parse([...new Lexer().lex(text)].join(""))) collect(token, found);
  return found.toSorted();
}

function collect(value: unknown, found: string[]): void {
  if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (typeof value === "object" && value !== null) {
    const token = value as Partial<CST.SourceToken>;
    if (token.type === "comment") found.push((token.source ?? "").trim());
    else for (const each of Object.values(value)) collect(each, found);
  }
}

/** A line of the user's that is also in what is expected must stand in the result as it is, as often. */
function keepsLines(got: string, wanted: string, ours: string): boolean {
  const [have, must, mine] = [got, wanted, ours].map(counted);
  return [...(mine ?? [])].every(([line, count]) => (have?.get(line) ?? 0) >= Math.min(count, must?.get(line) ?? 0));
}

function counted(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  for (const line of text.split("\n")) lines.set(line, (lines.get(line) ?? 0) + 1);
  return lines;
}
