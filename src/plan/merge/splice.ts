/** A replacement of `text.slice(start, end)`. */
export interface Splice {
  start: number;
  end: number;
  text: string;
}

/** A text that cannot be edited as wanted; the merge is then a conflict. */
export class CannotSplice extends Error {}

/**
 * Applies splices; of those at one place, insertions come first, in the order in which they were made.
 * @throws CannotSplice when two of them overlap
 */
export function applySplices(text: string, splices: readonly Splice[]): string {
  const isInsertion = ({ start, end }: Splice): number => (start === end ? 0 : 1);
  const sorted = splices.toSorted((a, b) => a.start - b.start || isInsertion(a) - isInsertion(b));
  let out = "";
  let at = 0;
  for (const { start, end, text: inserted } of sorted) {
    if (start < at) throw new CannotSplice("two changes meet");
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

/** The text with the line ends of `like`. */
export function withLineEnds(text: string, like: string): string {
  const plain = text.replaceAll("\r\n", "\n");
  return like.includes("\r\n") ? plain.replaceAll("\n", "\r\n") : plain;
}

/** Lines of comments and blanks, without indentation and line ends, so that they compare whatever their place. */
export function triviaLines(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n").map((line) => line.trim());
  return text.endsWith("\n") ? lines.slice(0, -1) : lines;
}
