import { isAlias, isCollection, isNode, isPair, isScalar, Lexer } from "yaml";

import type { Entry, Value } from "./outline.ts";
import { bare, linesOf } from "./splice.ts";

/** Lines of comments and blanks, without indentation and line ends, so that they compare whatever their place. */
export function triviaLines(text: string): string[] {
  return linesOf(text).map((line) => bare(line).trim());
}

/** All comments of an entry, those above it included. */
export function commentsOfEntry(text: string, entry: Entry): string {
  const lead = triviaLines(text.slice(entry.lead.start, entry.lead.end));
  return [...lead, commentsIn(text, entry.value), ...triviaLines(text.slice(entry.tail, entry.end))]
    .filter((line) => line !== "")
    .join("\n");
}

/** All comments inside a value, and on its line. */
export function commentsIn(text: string, value: Value): string {
  const own = text.slice(value.comment.start, value.comment.end).trim();
  return [own, ...(value.entries ?? []).map((entry) => commentsOfEntry(text, entry))]
    .filter((line) => line !== "")
    .join("\n");
}

/** Whether there is an anchor or an alias in a node. */
export function isLinked(node: unknown): boolean {
  if (isAlias(node)) return true;
  if (!isNode(node)) return isPair(node) && (isLinked(node.key) || isLinked(node.value));
  if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) return true;
  return isCollection(node) && node.items.some(isLinked);
}

/**
 * Whether a merge has every comment that it must have, as often as it must: wherever they stood, and whatever became
 * of what they stood at. Comments have no place in the values that a merge is held against otherwise.
 * @param dropped comments of base and theirs inside what the user deleted: they are about nothing any more
 */
export function holdsComments(
  merged: string,
  ours: string,
  base: string,
  theirs: string,
  dropped: { base: readonly string[]; theirs: readonly string[] },
): boolean {
  const holds = (count: (text: string) => Counts): boolean => {
    const [m, o, b, t] = [merged, ours, base, theirs].map(count) as [Counts, Counts, Counts, Counts];
    for (const comment of dropped.base) b.set(comment, (b.get(comment) ?? 0) - 1);
    for (const comment of dropped.theirs) t.set(comment, (t.get(comment) ?? 0) - 1);
    return addUp(m, o, b, t);
  };
  // What only looks like a comment may be counted by mistake, but when even that adds up, every comment does.
  return holds(seeming) || holds(counted);
}

function addUp(m: Counts, o: Counts, b: Counts, t: Counts): boolean {
  return [...new Set([...m.keys(), ...o.keys(), ...b.keys(), ...t.keys()])].every((comment) => {
    const [have, mine, old, other] = [m, o, b, t].map((counts) => counts.get(comment) ?? 0) as [
      number,
      number,
      number,
      number,
    ];
    const wanted = mine + other - old;
    // What both added, or both took away, may be the same change.
    if (mine > old && other > old) return have >= Math.max(mine, other) && have <= wanted;
    if (mine < old && other < old) return have <= Math.min(mine, other) && have >= Math.max(0, wanted);
    return have === wanted;
  });
}

type Counts = Map<string, number>;

/** Every comment of a YAML text. */
function counted(text: string): Counts {
  const counts: Counts = new Map();
  for (const token of new Lexer().lex(text)) {
    if (!token.startsWith("#")) continue;
    const comment = token.trim();
    counts.set(comment, (counts.get(comment) ?? 0) + 1);
  }
  return counts;
}

/** Everything behind a `#` that could begin a comment, without telling comments from text: cheap. */
function seeming(text: string): Counts {
  const counts: Counts = new Map();
  for (const [, found = ""] of text.matchAll(/(?:^|[ \t])(#[^\n]*)/gm)) {
    const comment = found.trim();
    counts.set(comment, (counts.get(comment) ?? 0) + 1);
  }
  return counts;
}
