import { describe, expect, it } from "vitest";

import type { ValidateResult } from "../../../src/flow/validate.ts";
import { changesBetween, nextStates, type States } from "../../../src/flow/watch.ts";

type Outcome = "pass" | "fail" | "unknown";
type Frameworks = Pick<ValidateResult, "frameworks">;

/** A framework with these outcomes of rules and probes. */
function round(
  rules: Record<string, "fail" | "waived" | "unknown">,
  probes: Record<string, Outcome>,
  message = "m",
): Frameworks {
  const finding = { severity: "error", service: null, file: null, line: null, key: null, message, fix: "" } as const;
  return {
    frameworks: [
      {
        name: "f",
        findings: Object.entries(rules).map(([rule, outcome]) => ({ ...finding, rule, outcome })),
        probes: Object.entries(probes).map(([id, outcome]) => ({ id, outcome, service: "", ms: 1, message, hint: "" })),
      },
    ],
  };
}

/** What is told in each of several rounds, one after the other. */
function told(...rounds: Frameworks[]): string[][] {
  let before: States | undefined;
  return rounds.map((result) => {
    const after = nextStates(before, result);
    const said = changesBetween(before, after).map(({ check, from, to }) => `${check}: ${from ?? "-"} > ${to}`);
    before = after;
    return said;
  });
}

describe("changes between two rounds", () => {
  it("are all that is not right in the first, and none where only the words differ", () => {
    const probes = { c: "unknown", d: "pass", e: "fail" } as const;
    expect(told(round({ a: "fail", b: "waived" }, probes), round({ a: "fail", b: "waived" }, probes, "other"))).toEqual(
      [["a: - > fail", "c: - > unknown", "e: - > fail"], []],
    );
  });

  it("are what has another outcome: a rule that has no finding any more is kept", () => {
    expect(
      told(round({ a: "fail" }, { p: "pass" }), round({ b: "fail" }, { p: "fail" }), round({}, { p: "pass" })),
    ).toEqual([
      ["a: - > fail"],
      ["b: pass > fail", "p: pass > fail", "a: fail > pass"],
      ["p: fail > pass", "b: fail > pass"],
    ]);
  });

  it("are no success of a probe that was not asked again", () => {
    const gone = told(
      round({}, { p: "fail", q: "pass" }),
      round({}, { engine: "unknown" }),
      round({}, { engine: "unknown" }),
      round({}, { p: "pass", q: "pass" }),
    );
    expect(gone).toEqual([["p: - > fail"], ["engine: pass > unknown", "p: fail > unknown"], [], ["p: unknown > pass"]]);
  });

  it("are none of a framework that is gone", () => {
    expect(told(round({}, { p: "fail" }), { frameworks: [] })).toEqual([["p: - > fail"], []]);
  });

  it("count several findings of a rule about one thing by the worst", () => {
    const { frameworks } = round({ a: "waived" }, {});
    const [first] = frameworks;
    const both = {
      frameworks: [
        {
          name: "f",
          probes: [],
          findings: [...(first?.findings ?? []), ...(round({ a: "fail" }, {}).frameworks[0]?.findings ?? [])],
        },
      ],
    };
    expect(told(both)).toEqual([["a: - > fail"]]);
  });
});
