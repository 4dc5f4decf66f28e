/** A replacement of `text.slice(start, end)`. */
export interface Splice {
  start: number;
  end: number;
  text: string;
  /** What comes first of several insertions at one place: what ends an entry, new entries, what is above the next. */
  rank: "tail" | "entry" | "lead";
}

/** A text that cannot be edited as wanted; the merge is then a conflict. */
export class CannotSplice extends Error {}

const RANKS = { tail: 0, entry: 1, lead: 2 } as const;

/**
 * Applies splices; of those at one place, insertions come first, by rank and then in the order in which they were made.
 * @throws CannotSplice when two of them overlap
 */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const weight = ({ start, end, rank }: Splice): number => (start === end ? RANKS[rank] : 3);
  const sorted = splices.toSorted((a, b) => a.start - b.start || weight(a) - weight(b));
  let out = "";
  let at = 0;
  for (const { start, end, text: inserted } of sorted) {
    if (start < at) throw new CannotSplice("two changes touch the same place");
    out += text.slice(at, start) + inserted;
    at = end;
  }
  return out + text.slice(at);
}

/** Moves every line of a block to the right (or left); blank lines stay blank. @throws CannotSplice */
export function reindent(text: string, by: number): string {
  if (by === 0) return text;
  return text
    .split("\n")
    .map((line) => {
      if (/^\s*$/.test(line)) return line;
      if (by > 0) return " ".repeat(by) + line;
      if (!line.startsWith(" ".repeat(-by))) throw new CannotSplice("the indentation does not allow it");
      return line.slice(-by);
    })
    .join("\n");
}

/** A value of several lines, with all but the first moved. */
export function reindentRest(text: string, by: number): string {
  const feed = text.indexOf("\n");
  return feed === -1 ? text : text.slice(0, feed + 1) + reindent(text.slice(feed + 1), by);
}

/** The line end of a text, by its first line. */
export function lineEndOf(text: string): "\r\n" | "\n" {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** The text with the line ends of `like`. */
export function withLineEnds(text: string, like: string): string {
  return text.replaceAll(/\r?\n/g, lineEndOf(like));
}

/** A text as lines, each with the line end that it has. */
export function linesOf(text: string): string[] {
  return text === "" ? [] : text.split(/(?<=\n)/);
}

/** A line without its line end. */
export function bare(line: string): string {
  return line.replace(/\r?\n$/, "");
}
