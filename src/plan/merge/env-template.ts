import { mergeLines } from "./lines.ts";
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

const ASSIGNMENT = /^[ \t]*(?:#[ \t]?)?(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=/;

/**
 * Three-way merge of a `.env.template` by variable, commented ones included. Lines that nobody changed stay byte by byte.
 * @returns undefined when the file cannot be read by key, because a variable stands there twice
 */
export function mergeEnvTemplate(ours: string, base: string, theirs: string, prefer?: "theirs"): Outcome | undefined {
  const cr = ours.includes("\r\n") ? "\r" : "";
  const [o, b, t] = [ours, base, theirs].map(read);
  if (o === undefined || b === undefined || t === undefined) return undefined;
  const [before, after, mine] = [b, t, o].map(({ entries }) => new Map(entries.map((entry) => [entry.key, entry])));
  if (before === undefined || after === undefined || mine === undefined) return undefined;
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
      const line = three(entry.line, old.line, next.line, cr) ?? (prefer && next.line);
      const lead = threeLines(entry.lead, old.lead, next.lead, cr, prefer);
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
      const fresh = { key: entry.key, lead: entry.lead.map((line) => line + cr), line: entry.line + cr };
      merged.splice(at + 1, 0, fresh);
    }
    previous = entry.key;
  }
  const rest = threeLines(o.rest, b.rest, t.rest, cr, prefer);
  if (rest === undefined) conflicts.push("the end of the file");
  if (conflicts.length > 0 && prefer === undefined) return { conflicts };
  const lines = [...merged.flatMap(({ lead, line }) => [...lead, line]), ...(rest ?? [])];
  return { text: lines.join("\n") };
}

function read(text: string): Keyed | undefined {
  const entries: Entry[] = [];
  let lead: string[] = [];
  for (const line of text.split("\n")) {
    const key = ASSIGNMENT.exec(line)?.[1];
    if (key === undefined) lead.push(line);
    else {
      entries.push({ key, lead, line });
      lead = [];
    }
  }
  const keys = new Set(entries.map(({ key }) => key));
  return keys.size === entries.length ? { entries, rest: lead } : undefined;
}

function bare(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function sameEntry(a: Entry, b: Entry): boolean {
  return [...a.lead, a.line].map(bare).join("\n") === [...b.lead, b.line].map(bare).join("\n");
}

function three(ours: string, base: string, theirs: string, cr: string): string | undefined {
  const [o, b, t] = [ours, base, theirs].map(bare);
  if (b === t || o === t) return ours;
  return o === b ? `${t ?? ""}${cr}` : undefined;
}

function threeLines(
  ours: string[],
  base: string[],
  theirs: string[],
  cr: string,
  prefer?: "theirs",
): string[] | undefined {
  const picks = mergeLines(ours.map(bare), base.map(bare), theirs.map(bare), prefer);
  return picks?.map(({ side, index }) => (side === "ours" ? (ours[index] ?? "") : `${bare(theirs[index] ?? "")}${cr}`));
}
