import { diffArrays } from "diff";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { mergeFile } from "../../../src/merge/merge.ts";
import { composePair } from "../../corpus/corpus.ts";
import { judge } from "../../corpus/oracle.ts";
import { runs } from "../../helpers/arbitrary.ts";

const edits = fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 5 });
const lines = (text: string): string[] => text.split("\n");

/** A line without what the user may have added to it: a comment, other quotes. */
const core = (line: string): string =>
  line
    .trim()
    .replace(/\s+#.*$/, "")
    .replaceAll(/["']/g, "");

const forms = (line: string): string[] => [`line ${line.trim()}`, `core ${core(line)}`];

/** The lines that the template took away and those that it brought, in both forms. */
function changes(base: string, theirs: string): { added: Set<string>; removed: Set<string> } {
  const found = { added: new Set<string>(), removed: new Set<string>() };
  for (const { added, removed, value } of diffArrays(lines(base), lines(theirs))) {
    if (added || removed)
      for (const line of value) for (const form of forms(line)) found[added ? "added" : "removed"].add(form);
  }
  // Which of two equal lines a diff takes for the changed one is its own choice: a service that went and one that came
  // may share theirs. Counted for each block, they are changes all the same.
  const [before, after] = [inBlocks(base), inBlocks(theirs)];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const more = (after.get(key) ?? 0) - (before.get(key) ?? 0);
    const line = key.slice(key.indexOf("\n") + 1);
    if (more !== 0) for (const form of forms(line)) found[more > 0 ? "added" : "removed"].add(form);
  }
  return found;
}

/** How often each line stands in each block: a key of the top level, or one right below it. */
function inBlocks(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  let block = "";
  for (const line of lines(text)) {
    if (/^ {0,2}[^\s#]/.test(line)) block = line;
    const key = `${block}\n${line}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

describe("for any edits of a compose file on both sides", { timeout: 3_600_000 }, () => {
  it("bytes that the template did not change stay, and a contradiction is a conflict", () => {
    let merges = 0;
    fc.assert(
      fc.property(edits, edits, (users, templates) => {
        const pair = composePair(users, templates);
        if (pair === undefined) return;
        const outcome = mergeFile(pair.file, pair.ours, pair.base, pair.theirs);
        const text = "text" in outcome ? outcome.text : undefined;
        expect([pair.ids, judge(pair, text)]).not.toEqual([pair.ids, expect.stringMatching(/wrong|silent/)]);
        // In flow style, or where a whole file was indented anew, what is new stands in lines of the user's.
        if (text === undefined || /u-s-flow|u-s-indent/.test(pair.ids)) return;
        merges += 1;
        const { added, removed } = changes(pair.base, pair.theirs);
        for (const change of diffArrays(lines(pair.ours), lines(text))) {
          if (!change.added && !change.removed) continue;
          const allowed = change.added ? added : removed;
          for (const line of change.value) {
            const known = line.trim() === "" || forms(line).some((form) => allowed.has(form));
            expect([pair.ids, line, known]).toEqual([pair.ids, line, true]);
          }
        }
      }),
      { ...runs(300), examples: [[[123], [180, 185, 0]]] },
    );
    expect(merges).toBeGreaterThan(20);
  });
});
