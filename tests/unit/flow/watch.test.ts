import { describe, expect, it } from "vitest";

import { changesFrom, type Change } from "../../../src/flow/watch.ts";

const state = (check: string, to: Change["to"], message = "m"): [string, Change] => [
  check,
  { framework: "f", service: "", check, from: undefined, to, message, fix: "" },
];
const said = (before: Map<string, Change> | undefined, found: Map<string, Change>): string[] =>
  changesFrom(before, found).map(({ check, from, to }) => `${check}: ${from ?? "-"} > ${to}`);

describe("changes between two rounds", () => {
  const found = new Map([state("a", "pass"), state("b", "fail"), state("c", "unknown"), state("d", "waived")]);

  it("are all that is not right in the first", () => {
    expect(said(undefined, found)).toEqual(["b: - > fail", "c: - > unknown"]);
  });

  it("are none where only the words differ", () => {
    const later = new Map([...found].map(([key, each]) => [key, { ...each, message: "other" }]));
    expect(said(found, later)).toEqual([]);
  });

  it("are what has another outcome, what is new, and what is gone", () => {
    const later = new Map([state("a", "fail"), state("b", "pass"), state("e", "fail"), state("f", "pass")]);
    expect(said(found, later)).toEqual([
      "a: pass > fail",
      "b: fail > pass",
      "e: pass > fail",
      "c: unknown > pass",
      "d: waived > pass",
    ]);
  });
});
