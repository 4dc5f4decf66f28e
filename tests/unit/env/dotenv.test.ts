import { describe, expect, it } from "vitest";

import { dotenvValues, parseDotenv } from "../../../src/env/dotenv.ts";

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

  it("names the place of the value that wins, quotes included, comment not", () => {
    const text = "# x\r\nA='one\r\ntwo'\r\nB=1\nA= 3 # three\r\nC=\"q\"";
    const at = (name: string): string => {
      const found = parseDotenv(text).get(name);
      return found === undefined ? "?" : text.slice(found.start, found.end);
    };
    expect([at("A"), at("B"), at("C")]).toEqual(["3", "1", '"q"']);
    expect(dotenvValues("A='one\r\ntwo'").get("A")).toBe("one\ntwo");
  });

  it("takes a lone carriage return for text, as Compose does", () => {
    expect(dotenvValues("A=x\rB=1\nC=2\n")).toEqual(
      new Map([
        ["A", "x\rB=1"],
        ["C", "2"],
      ]),
    );
  });
});

it("stops growing where each line names the one above twice, and reads on", () => {
  const lines = Array.from({ length: 60 }, (_, n) => `A${String(n + 1)}=\${A${String(n)}}\${A${String(n)}}`);
  const values = dotenvValues(["A0=xxxxxxxx", ...lines, "LAST=1"].join("\n"));
  expect([...values.values()].join("").length).toBeLessThan(200_000);
  expect([values.get("A3"), values.get("LAST")]).toEqual(["x".repeat(64), "1"]);
});
