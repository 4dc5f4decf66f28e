import { closed, mergeLines } from "./lines.ts";
import { bare, lineEndOf, linesOf } from "./splice.ts";
import type { Outcome } from "./yaml.ts";

interface Entry {
  key: string;
  /** Lines above it, as they are. */
  lead: string[];
  line: string;
}

/** A `.env.template`: variables, commented ones included, each with the lines above it. */
interface Keyed {
  entries: Entry[];
  rest: string[];
}

// A commented-out one has no blanks around its `=`, or any sentence would be one.
const ASSIGNMENT = /^(?:[ \t]*#[ \t]?([A-Za-z_][A-Za-z0-9_]*)=|[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=)/;

/**
 * Three-way merge of a `.env.template` by variable, commented ones included. Lines that nobody changed stay byte by byte.
 * @param prefer `theirs`: where both changed the same variable, theirs is taken
 * @returns undefined when the file cannot be read by key, because a variable stands there twice
 */
export function mergeEnvTemplate(ours: string, base: string, theirs: string, prefer?: "theirs"): Outcome | undefined {
  const [o, b, t] = [ours, base, theirs].map(read);
  if (o === undefined || b === undefined || t === undefined) return undefined;
  const [before, after, mine] = [b, t, o].map(({ entries }) => new Map(entries.map((entry) => [entry.key, entry]))) as [
    Map<string, Entry>,
    Map<string, Entry>,
    Map<string, Entry>,
  ];
  const eol = lineEndOf(ours);
  const conflicts: string[] = [];
  const merged: Entry[] = [];
  for (const entry of o.entries) {
    const [old, next] = [before.get(entry.key), after.get(entry.key)];
    if (old === undefined) {
      // New on both sides: the same is no conflict.
      if (next !== undefined && bare(next.line) !== bare(entry.line)) conflicts.push(entry.key);
      merged.push(entry);
    } else if (next === undefined) {
      if (!sameEntry(entry, old)) conflicts.push(entry.key);
    } else {
      const line = three(entry.line, old.line, next.line, eol) ?? (prefer === undefined ? undefined : next.line);
      const lead = threeLines(entry.lead, old.lead, next.lead, eol, prefer);
      if (line === undefined || lead === undefined) conflicts.push(entry.key);
      merged.push({ key: entry.key, lead: lead ?? entry.lead, line: line ?? entry.line });
    }
  }
  let previous: string | undefined;
  for (const entry of t.entries) {
    if (!mine.has(entry.key)) {
      const old = before.get(entry.key);
      if (old !== undefined) {
        // Deleted by the user: an update of it would come back from the dead, or be lost.
        if (!sameEntry(entry, old)) conflicts.push(entry.key);
        continue;
      }
      const at = previous === undefined ? -1 : merged.findIndex(({ key }) => key === previous);
      const fresh = { key: entry.key, lead: entry.lead.map((line) => bare(line) + eol), line: bare(entry.line) + eol };
      merged.splice(at + 1, 0, fresh);
    }
    previous = entry.key;
  }
  const rest = threeLines(o.rest, b.rest, t.rest, eol, prefer);
  if (rest === undefined) conflicts.push("the end of the file");
  if (conflicts.length > 0 && prefer === undefined) return { conflicts };
  const lines = [...merged.flatMap(({ lead, line }) => [...lead, line]), ...(rest ?? [])];
  const text = closed(lines, ours);
  if (prefer === undefined && !holdsWords(text, ours, base, theirs))
    return { conflicts: ["a comment would be lost or stand there twice"] };
  return { text };
}

/** How often each variable is assigned. */
export function assignments(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) {
    const key = keyOf(line);
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function keyOf(line: string): string | undefined {
  const [, commented, plain] = ASSIGNMENT.exec(line) ?? [];
  return commented ?? plain;
}

function read(text: string): Keyed | undefined {
  const entries: Entry[] = [];
  let lead: string[] = [];
  for (const line of linesOf(text)) {
    const key = keyOf(line);
    if (key === undefined) lead.push(line);
    else {
      entries.push({ key, lead, line });
      lead = [];
    }
  }
  const keys = new Set(entries.map(({ key }) => key));
  return keys.size === entries.length ? { entries, rest: lead } : undefined;
}

function sameEntry(a: Entry, b: Entry): boolean {
  return [...a.lead, a.line].map(bare).join("\n") === [...b.lead, b.line].map(bare).join("\n");
}

function three(ours: string, base: string, theirs: string, eol: string): string | undefined {
  const [o, b, t] = [ours, base, theirs].map(bare);
  if (b === t || o === t) return ours;
  return o === b ? `${t ?? ""}${eol}` : undefined;
}

function threeLines(
  ours: string[],
  base: string[],
  theirs: string[],
  eol: string,
  prefer: "theirs" | undefined,
): string[] | undefined {
  const picks = mergeLines(ours.map(bare), base.map(bare), theirs.map(bare), prefer);
  return picks?.map(({ side, index }) => (side === "ours" ? (ours[index] ?? "") : bare(theirs[index] ?? "") + eol));
}

/** Whether no line of words is lost or doubled, wherever it stood. */
function holdsWords(merged: string, ours: string, base: string, theirs: string): boolean {
  const [m, o, b, t] = [merged, ours, base, theirs].map(words);
  const count = (counts: Map<string, number> | undefined, line: string): number => counts?.get(line) ?? 0;
  return [...(m?.keys() ?? [])].every(
    (line) =>
      count(m, line) <= Math.max(count(o, line), count(t, line), count(o, line) + count(t, line) - count(b, line)) &&
      (count(b, line) > 0 || count(m, line) <= Math.max(count(o, line), count(t, line))),
  );
}

function words(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of text.split("\n")) {
    const bareLine = line.trim();
    if (bareLine.startsWith("#")) counts.set(bareLine, (counts.get(bareLine) ?? 0) + 1);
  }
  return counts;
}
