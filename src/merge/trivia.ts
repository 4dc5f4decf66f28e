import { triviaLines } from "./comments.ts";
import { mergeLines } from "./lines.ts";
import { CannotSplice, lineEndOf, linesOf } from "./splice.ts";

/** Comment and blank lines at one place in the three versions. */
export interface Trivia {
  ours: string;
  base: string;
  theirs: string;
}

/**
 * Three-way merge of the comment and blank lines between two entries. Lines of ours stay byte by byte.
 * @param indent column for lines that are new
 * @param like the text whose line ends count
 * @returns the lines, or undefined when ours stay as they are
 * @throws CannotSplice when both sides changed the same comment
 */
export function mergeTrivia(
  { ours, base, theirs }: Trivia,
  indent: number,
  like: string,
  prefer: "theirs" | undefined,
): string | undefined {
  const [o, b, t] = [ours, base, theirs].map(triviaLines) as [string[], string[], string[]];
  if (b.join("\n") === t.join("\n") || o.join("\n") === t.join("\n")) return undefined;
  const eol = lineEndOf(like);
  const fresh = (line: string): string => (line === "" ? eol : " ".repeat(indent) + line + eol);
  const picks = mergeLines(o, b, t, prefer);
  const raw = linesOf(ours);
  if (picks !== undefined) {
    return picks.map(({ side, index }) => (side === "ours" ? (raw[index] ?? "") : fresh(t[index] ?? ""))).join("");
  }
  const words = (lines: readonly string[]): string => lines.filter((line) => line !== "").join("\n");
  // Where only blank lines are at odds, those of the user stay, around whichever words are new.
  if (words(b) === words(t) || words(o) === words(t)) return undefined;
  if (words(o) !== words(b)) throw new CannotSplice("the comment was changed on both sides");
  const blank = (lines: readonly string[]): number => {
    const first = lines.findIndex((line) => line !== "");
    return first === -1 ? lines.length : first;
  };
  return raw.slice(0, blank(o)).join("") + t.slice(blank(t)).map(fresh).join("");
}
