import { diffIndices } from "node-diff3";

import { bare, lineEndOf, linesOf } from "./splice.ts";

/** A run of base lines that one side replaced. */
interface Hunk {
  /** Base lines `[start, end)`; empty for an insertion before `start`. */
  start: number;
  end: number;
  lines: readonly string[];
  /** Index of the first of `lines` in its side. */
  at: number;
}

/** A line of the result: which side it comes from, and its index there. */
export interface Pick {
  side: "ours" | "theirs";
  index: number;
}

/**
 * Three-way merge of two lists of lines. Unlike in `diff3`, lines that lie side by side and were each changed
 * by one side only are no conflict: which of them comes first is certain.
 * @param prefer `theirs`: where both sides changed the same lines, theirs are taken
 * @returns undefined when both sides changed the same line, or put different lines at the same place
 */
export function mergeLines(
  ours: readonly string[],
  base: readonly string[],
  theirs: readonly string[],
  prefer?: "theirs",
): Pick[] | undefined {
  const [o, t] = [hunks(base, ours), hunks(base, theirs)];
  const picks: Pick[] = [];
  // Index in a side = index in base + shift.
  const shift = { ours: 0, theirs: 0 };
  let at = 0;
  const keepUntil = (end: number, side: Pick["side"] = "ours"): void => {
    for (; at < end; at += 1) picks.push({ side, index: at + shift[side] });
  };
  const pass = (hunk: Hunk, side: Pick["side"]): void => {
    shift[side] += hunk.lines.length - (hunk.end - hunk.start);
  };
  const take = (hunk: Hunk, side: Pick["side"], around: Pick["side"] = "ours"): void => {
    keepUntil(hunk.start, around);
    for (let index = 0; index < hunk.lines.length; index += 1) picks.push({ side, index: hunk.at + index });
    at = hunk.end;
    pass(hunk, side);
  };
  while (o.length > 0 || t.length > 0) {
    const [mine, other] = [o[0], t[0]];
    if (mine !== undefined && other !== undefined && meet(mine, other)) {
      if (same(mine, other)) {
        pass(other, "theirs");
        t.shift();
      } else if (prefer === undefined) return undefined;
      else {
        const region = regionOf(o, t);
        keepUntil(region.start);
        for (const hunk of t.splice(0, region.theirs)) take(hunk, "theirs", "theirs");
        for (const hunk of o.splice(0, region.ours)) pass(hunk, "ours");
        keepUntil(region.end, "theirs");
      }
      continue;
    }
    const oursFirst = other === undefined || (mine !== undefined && before(mine, other));
    if (oursFirst && mine !== undefined) {
      take(mine, "ours");
      o.shift();
    } else if (other !== undefined) {
      take(other, "theirs");
      t.shift();
    }
  }
  keepUntil(base.length);
  return picks;
}

/** The base lines around the first two hunks that no hunk of either side crosses, and how many of each lie in it. */
function regionOf(
  o: readonly Hunk[],
  t: readonly Hunk[],
): { start: number; end: number; ours: number; theirs: number } {
  const [mine, other] = [o[0], t[0]];
  const region: Hunk = {
    start: Math.min(mine?.start ?? 0, other?.start ?? 0),
    end: Math.max(mine?.end ?? 0, other?.end ?? 0),
    lines: [],
    at: 0,
  };
  const inside = (hunk: Hunk): boolean => hunk.start < region.end || meet(region, hunk);
  const count = { ours: 1, theirs: 1 };
  for (let grown = true; grown;) {
    grown = false;
    for (const [side, changes] of [["ours", o] as const, ["theirs", t] as const]) {
      const next = changes[count[side]];
      if (next === undefined || !inside(next)) continue;
      region.end = Math.max(region.end, next.end);
      count[side] += 1;
      grown = true;
    }
  }
  return { start: region.start, end: region.end, ...count };
}

function before(a: Hunk, b: Hunk): boolean {
  return a.start < b.start || (a.start === b.start && a.end <= a.start);
}

/**
 * Whether two hunks touch the same base line, or put lines at the same place. What stands beside a single line that
 * was replaced by a single line has a certain place; beside anything else it has not.
 */
function meet(a: Hunk, b: Hunk): boolean {
  if (a.start < b.end && b.start < a.end) return true;
  if (a.start > b.end || b.start > a.end) return false;
  return !isOneForOne(a) && !isOneForOne(b);
}

function isOneForOne({ start, end, lines }: Hunk): boolean {
  return end - start === 1 && lines.length === 1;
}

function same(a: Hunk, b: Hunk): boolean {
  return a.start === b.start && a.end === b.end && a.lines.join("\n") === b.lines.join("\n");
}

/** What a side changed; a run of replaced lines of equal length is one hunk for each line. */
function hunks(base: readonly string[], side: readonly string[]): Hunk[] {
  return diffIndices([...base], [...side]).flatMap(({ buffer1: [start, length], buffer2: [at, count] }): Hunk[] => {
    const lines = side.slice(at, at + count);
    if (length !== count) return [{ start, end: start + length, lines, at }];
    return lines.map((line, index) => ({
      start: start + index,
      end: start + index + 1,
      lines: [line],
      at: at + index,
    }));
  });
}

/**
 * Three-way merge of a text, line by line. Lines of ours stay byte by byte; those of theirs take its line ends.
 * @returns undefined for a conflict
 */
export function mergeText(ours: string, base: string, theirs: string, prefer?: "theirs"): string | undefined {
  const [o, b, t] = [ours, base, theirs].map(linesOf) as [string[], string[], string[]];
  const picks = mergeLines(o.map(bare), b.map(bare), t.map(bare), prefer);
  return picks === undefined ? undefined : joined(picks, o, t, ours);
}

/** The lines that were picked, one under the other. @param like the text whose line ends count */
function joined(picks: readonly Pick[], ours: readonly string[], theirs: readonly string[], like: string): string {
  const eol = lineEndOf(like);
  const lines = picks.map(({ side, index }) => {
    const line = (side === "ours" ? ours : theirs)[index] ?? "";
    return side === "ours" ? line : bare(line) + eol;
  });
  return closed(lines, like);
}

/** Lines as a text: only the last may lack its line end, and does so where that of `like` did. */
export function closed(lines: readonly string[], like: string): string {
  const eol = lineEndOf(like);
  const ends = like === "" || like.endsWith("\n");
  return lines
    .map((line, index) => {
      if (index === lines.length - 1)
        return ends ? `${bare(line)}${line.endsWith("\n") ? line.slice(bare(line).length) : eol}` : bare(line);
      return line.endsWith("\n") ? line : line + eol;
    })
    .join("");
}
