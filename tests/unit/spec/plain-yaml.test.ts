import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";

import { readPlainYaml } from "../../../src/spec/plain-yaml.ts";
import { runs } from "../../helpers/arbitrary.ts";
import { treeOf } from "../../helpers/catalogue.ts";

/** What the library reads; undefined for what it refuses. */
function byLibrary(text: string): unknown {
  const doc = parseDocument(text, { uniqueKeys: true, prettyErrors: false, logLevel: "silent" });
  return doc.errors.length > 0 ? undefined : doc.toJS({ maxAliasCount: 0 });
}

const keys = ["a", "b", "schemaVersion", "max-size", "_", "true", "Null", "yes", "__proto__", "constructor", "1", "é"];
const values = [
  ..."small|true|TRUE|null|~|yes|0|00|07|8080|1e3|0x1f|1_000|10m|1e5k|999999999|1000000000|-1|+1|1.0|.5".split("|"),
  ...".inf|NaN|2026-01-02|12:30:45|a b|a:b|a: b|'x'|'|[]|[ ]|[a]|{}|{a: 1}|a #b|a#b|#b| a|a |&x a|*x|!t a".split("|"),
  ...">|- a|-|?|@a|%a|`a|é".split("|"),
  ...String.raw`"x"|"x y: # z"|"a\"b"|"a\n"|"a|""|"a" b`.split("|"),
  '"\u2028"',
  "|",
];

/** Those that it reads; all others it leaves to the library. */
const READ = new Set('small|true|yes|0|8080|10m|999999999|NaN|[]|"x"|"x y: # z"|""'.split("|"));

/** Plain ones much more often: one that is not is enough for a whole text to be left to the library. */
const mostly = (plain: Iterable<string>, odd: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...plain) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
const line = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(
      fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3),
      mostly("abcdefghijklm", keys),
      mostly(["", "", "1", "x"], values),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(6), fc.constantFrom("# a: b", "", "- a", "---", "...", "\t", "? a", "%YAML 1.1")),
  },
);
const document = fc
  .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom("\n", "\n", "\n", "\r\n", "\n\n", "\r"))
  .map(([lines, end]) =>
    lines
      .map((each) =>
        each.length === 3
          ? `${"  ".repeat(each[0])}${each[1]}:${each[2] === "" ? "" : ` ${each[2]}`}`
          : `${" ".repeat(each[0])}${each[1]}`,
      )
      .join(end),
  );

describe("readPlainYaml", () => {
  it("reads what the YAML library reads, or nothing", () => {
    let read = 0;
    fc.assert(
      fc.property(document, (text) => {
        const value = readPlainYaml(text);
        if (value === undefined) return;
        read += 1;
        expect(value).toEqual(byLibrary(text));
        expect(JSON.stringify(value)).toBe(JSON.stringify(byLibrary(text)));
      }),
      { ...runs(4000), examples: [["a:\n  b: 1\n# x\nc: []"], ["a:\n    b: 1"], ["a:\nb: 1"], ["a:"], [""]] },
    );
    // A reader that gives up on everything would pass as well.
    expect(read).toBeGreaterThan(50);
  });

  it.each(values)("as a value: %j", (value) => {
    const text = `a:\n  b: ${value}\nc: 1\n`;
    const read = readPlainYaml(text);
    expect(read === undefined).toBe(!READ.has(value));
    expect(read).toStrictEqual(READ.has(value) ? byLibrary(text) : undefined);
  });

  it("reads a generated framework.yaml by itself, with any edit of a word or a number", async () => {
    const text = (await treeOf({ name: "demo", services: ["langfuse"] })).get("framework.yaml")?.content ?? "";
    for (const each of [text, text.replace("profile: small", "profile: large"), text.replace(/port: \d+/, "port: 9")]) {
      expect(readPlainYaml(each)).toStrictEqual(byLibrary(each));
      expect(readPlainYaml(each)).toMatchObject({ name: "demo" });
    }
  });

  it.each([
    ["an anchor", "a: &x b"],
    ["a key twice", "a: 1\na: 2"],
    ["odd indentation", "a:\n   b: 1"],
    ["a jump", "a:\n    b: 1"],
    ["nothing below", "a:\nb: 1"],
    ["a mapping below a value", "a: 1\n  b: 2"],
    ["a list", "a:\n  - b"],
    ["a mapping a thousand deep", Array.from({ length: 1000 }, (_, depth) => `${"  ".repeat(depth)}a:`).join("\n")],
    ["a tab", "a:\tb"],
    ["a comment behind a value", "a: b # c"],
    ["a second document", "a: b\n---\nc: d"],
    ["nothing", "# nothing\n"],
    ["carriage returns", "a: b\r\nc: d\r\n"],
  ])("leaves %s to the library", (_, text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });
});
