import { diffArrays } from "diff";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { mergeFile } from "../../../src/plan/merge/merge.ts";
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
  return found;
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
      runs(300),
    );
    expect(merges).toBeGreaterThan(20);
  });
});
