import { describe, expect, it } from "vitest";

import { interpolate } from "../../../src/env/interpolate.ts";

const env = new Map([
  ["A", "1"],
  ["EMPTY", ""],
  ["B_2", "two"],
]);
const expand = (text: string): string => interpolate(text, (name) => env.get(name));

// tests/live/compose-reading.test.ts holds the same table against Docker Compose itself.
describe("interpolate", () => {
  it.each([
    ["plain", "plain"],
    ["$A", "1"],
    ["${A}", "1"],
    ["x${A}y", "x1y"],
    ["$B_2-", "two-"],
    ["${MISSING}", ""],
    ["${MISSING:-9}", "9"],
    ["${MISSING-9}", "9"],
    ["${EMPTY:-9}", "9"],
    ["${EMPTY-9}", ""],
    ["${A:-9}", "1"],
    ["${A:+9}", "9"],
    ["${MISSING:+9}", ""],
    ["${EMPTY+9}", "9"],
    ["${EMPTY:+9}", ""],
    ["${MISSING:-${A}}", "1"],
    ["${MISSING:-${OTHER:-deep}}", "deep"],
    ["$$A", "$A"],
    ["${A:?must}", "1"],
    ["127.0.0.1:${MISSING:-6333}:6333", "127.0.0.1:6333:6333"],
  ])("%s -> %s", (text, value) => {
    expect(expand(text)).toBe(value);
  });

  it("survives what no person writes", () => {
    const deep = `${"${X:-".repeat(5000)}1${"}".repeat(5000)}`;
    expect(() => expand(deep)).not.toThrow();
    expect(expand("${A")).toBe("${A");
    expect(expand("$")).toBe("$");
    expect(expand("${}")).toBe("");
  });
});

describe("a text that grows", () => {
  it("stays as it is written once it is more than anybody's", () => {
    const long = new Map([["A", "x".repeat(1000)]]);
    const lookup = (name: string): string | undefined => long.get(name);
    expect(interpolate("$A".repeat(60), lookup)).toHaveLength(60_000);
    expect(interpolate("$A".repeat(70), lookup)).toBe("$A".repeat(70));
    const huge = "$A".repeat(500_000);
    expect(interpolate(huge, lookup) === huge).toBe(true);
  });
});
