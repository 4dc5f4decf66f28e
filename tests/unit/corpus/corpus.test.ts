import { describe, expect, it } from "vitest";

import { mergeFile } from "../../../src/merge/merge.ts";
import { pairs, sample, type Pair } from "../../corpus/corpus.ts";
import { judge, type Result, type Verdict } from "../../corpus/oracle.ts";
import { isFull } from "../../helpers/arbitrary.ts";

// Of what is mergeable, so many per cent must be clean and right at 1, 2 and 3 edits a side.
const BAR: Record<number, number> = { 1: 95, 2: 93, 3: 90 };

function mergeOf({ file, ours, base, theirs }: Pair): Result {
  const outcome = mergeFile(file, ours, base, theirs);
  return "text" in outcome ? outcome.text : undefined;
}

describe("the merge corpus", () => {
  const every = pairs();

  it("has every kind of file and size, with contradictions in each", () => {
    expect(every.length).toBeGreaterThan(500);
    for (const file of new Set(every.map((pair) => pair.file))) {
      for (const size of [1, 2, 3]) {
        const some = every.filter((pair) => pair.file === file && pair.size === size);
        expect([file, size, some.length >= 40, some.some(({ expected }) => expected.length === 0)]).toEqual([
          file,
          size,
          true,
          true,
        ]);
      }
    }
  });

  it("is merged right, or is a conflict: nothing wrong, nothing silently resolved", { timeout: 300_000 }, () => {
    const tally = new Map<number, { mergeable: number; right: number }>();
    const bad: string[] = [];
    for (const pair of isFull ? every : sample(400)) {
      const verdict = judge(pair, mergeOf(pair));
      if (verdict === "wrong" || verdict === "silent") bad.push(`${verdict}: ${pair.file}: ${pair.ids}`);
      const counts = tally.get(pair.size) ?? { mergeable: 0, right: 0 };
      if (pair.expected.length > 0) counts.mergeable += 1;
      if (verdict === "right") counts.right += 1;
      tally.set(pair.size, counts);
    }
    expect(bad).toEqual([]);
    for (const [size, { mergeable, right }] of tally)
      expect((right / mergeable) * 100).toBeGreaterThanOrEqual(BAR[size] ?? 100);
    expect([...tally.keys()]).toEqual([1, 2, 3]);
  });
});

describe("the oracle", () => {
  const find = (ids: RegExp): Pair => {
    const pair = pairs().find((each) => ids.test(each.ids));
    if (pair === undefined) throw new Error(`the corpus has no ${String(ids)}`);
    return pair;
  };
  const clean = find(/^u-shm x t-q-/);

  it.each<[string, Result, Verdict]>([
    ["both edits", clean.expected[0], "right"],
    ["a conflict", undefined, "refused"],
    ["one side alone", clean.ours, "wrong"],
    ["the other alone", clean.theirs, "wrong"],
    ["a comment that was lost", clean.expected[0]?.replace(/ *# The image has bash.*\n/, ""), "wrong"],
    ["a comment that was doubled", clean.expected[0]?.replace(/( *# The image has bash.*\n)/, "$1$1"), "wrong"],
    ["broken YAML", `${clean.expected[0] ?? ""}\n  - x: [`, "wrong"],
    ["a line of the user's in another style", clean.expected[0]?.replace("shm_size: 1g", "shm_size:  1g"), "wrong"],
  ])("sees through %s", (_, result, verdict) => {
    expect(judge(clean, result)).toBe(verdict);
  });

  it("wants a conflict where two edits contradict each other", () => {
    const pair = find(/^u-c-reworded x t-c-reworded$/);
    expect([judge(pair, undefined), judge(pair, pair.ours), judge(pair, pair.theirs)]).toEqual([
      "conflict",
      "silent",
      "silent",
    ]);
  });
});
