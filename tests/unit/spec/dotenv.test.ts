import { describe, expect, it } from "vitest";

import { dotenvValues, parseDotenv } from "../../../src/spec/dotenv.ts";

// tests/live/compose-reading.test.ts holds the same table against Docker Compose itself.
describe("parseDotenv", () => {
  it.each([
    ["A=1", "1"],
    ["A = 1 ", "1"],
    ["export A=1", "1"],
    ["A=", ""],
    ["A=a b", "a b"],
    ["A=a #comment", "a"],
    ["A=a#b", "a#b"],
    ["A='a $B #c'", "a $B #c"],
    ['A="a\\nb"', "a\nb"],
    ['A="a\\"b"', 'a"b'],
    ["A='x\ny'", "x\ny"],
    ["A=1\nA=2", "2"],
    ["B=x\nA=$B", "x"],
    ["B=x\nA=${B}y", "xy"],
    ["A=${B:-z}", "z"],
    ["A=ab$cd", "ab"],
    ["\uFEFFA=1", "1"],
    ["A=1\r\n", "1"],
  ])("%j gives %j", (text, value) => {
    expect(dotenvValues(text).get("A")).toBe(value);
  });

  it("passes over comments and lines it cannot read", () => {
    expect(dotenvValues("# A=1\n\n???\nA=2\n=3\n")).toEqual(new Map([["A", "2"]]));
  });

  it("names the line of the assignment that wins", () => {
    expect(parseDotenv("# x\nA='one\ntwo'\nB=1\nA=3\n").get("A")).toEqual({ name: "A", value: "3", line: 4 });
  });
});
