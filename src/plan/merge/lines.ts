import { diffIndices } from "node-diff3";

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
 * @returns undefined when both sides changed the same line, or put different lines at the same place
 */
export function mergeLines(
  ours: readonly string[],
  base: readonly string[],
  theirs: readonly string[],
): Pick[] | undefined {
  const [o, t] = [hunks(base, ours), hunks(base, theirs)];
  const picks: Pick[] = [];
  let shift = 0; // index in ours = index in base + shift
  let at = 0;
  const keepUntil = (end: number): void => {
    for (; at < end; at += 1) picks.push({ side: "ours", index: at + shift });
  };
  const take = (hunk: Hunk, side: "ours" | "theirs"): void => {
    keepUntil(hunk.start);
    for (let index = 0; index < hunk.lines.length; index += 1) picks.push({ side, index: hunk.at + index });
    at = hunk.end;
    shift += side === "ours" ? hunk.lines.length - (hunk.end - hunk.start) : 0;
  };
  while (o.length > 0 || t.length > 0) {
    const [mine, other] = [o[0], t[0]];
    if (mine !== undefined && other !== undefined && meet(mine, other)) {
      if (!same(mine, other)) return undefined;
      t.shift();
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

function before(a: Hunk, b: Hunk): boolean {
  return a.start < b.start || (a.start === b.start && a.end <= a.start);
}

/** Whether two hunks touch the same base line, or insert at the same place. */
function meet(a: Hunk, b: Hunk): boolean {
  if (a.start === a.end && b.start === b.end) return a.start === b.start;
  if (a.start === a.end) return b.start < a.start && a.start < b.end;
  if (b.start === b.end) return a.start < b.start && b.start < a.end;
  return a.start < b.end && b.start < a.end;
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
 * Three-way merge of a text, line by line. Line ends are those of `ours`; what `ours` did not change and
 * `theirs` did not touch stays byte by byte.
 * @returns undefined for a conflict
 */
export function mergeText(ours: string, base: string, theirs: string): string | undefined {
  const [raw, b, t] = [ours, base, theirs].map((text) => text.split("\n")) as [string[], string[], string[]];
  const bare = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);
  const picks = mergeLines(raw.map(bare), b.map(bare), t.map(bare));
  if (picks === undefined) return undefined;
  const cr = ours.includes("\r\n") ? "\r" : "";
  return picks
    .map(({ side, index }, position) => {
      if (side === "ours") return raw[index] ?? "";
      // The last line has no line feed behind it, so it takes no carriage return either.
      return `${bare(t[index] ?? "")}${position < picks.length - 1 ? cr : ""}`;
    })
    .join("\n");
}
