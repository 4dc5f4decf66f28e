import Handlebars from "handlebars";
import { runInThisContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { sha256 } from "../../../src/lib/digest.ts";
import { COMPILE_OPTIONS, engineFor, quoted, type Engine } from "../../../src/render/engine.ts";

async function engine(files: Record<string, string>, compiled = new Map<string, unknown>()): Promise<Engine> {
  return engineFor(
    new Map(
      Object.entries(files).map(([path, source]) => [path, { path, source, compiled: compiled.get(sha256(source)) }]),
    ),
  );
}

// As the build does it: the text of a JavaScript object literal.
const load = (code: unknown): unknown => runInThisContext(`(${String(code)})`);

const NASTY = [
  "{{x}}",
  "$HOME `ls` $(ls)",
  "' \" \\",
  "# : - [a] {b} | > & * ! % @",
  "<b>&amp;",
  "é 日本 🚀",
  "\u0085\u2028\uFEFF",
  "~",
  "yes",
  "0x10",
  "",
];

describe("the engine", () => {
  it("escapes no HTML and fails on a missing value", async () => {
    const { render } = await engine({ "a.hbs": "{{x}}", "b.hbs": "{{nope}}" });
    expect(render("a.hbs", { x: "<&'\">" })).toBe("<&'\">");
    expect(() => render("b.hbs", { x: 1 })).toThrow(/template b\.hbs: .*nope/);
  });

  it("says which template is broken, and where, be it a partial", async () => {
    const { render } = await engine({ "a.hbs": "a\n{{nope 1}}", "b.hbs": "{{#if x}}" });
    expect(() => render("a.hbs", {})).toThrow("template a.hbs: there is no helper nope - 2:0");
    expect(() => render("b.hbs", {})).toThrow(/template b\.hbs: Parse error on line 1/);
    const { render: including } = await engine({
      "a.hbs": "{{> part}}",
      "partials/part.hbs": "\n{{#if x}}",
      "b.hbs": "{{> missing}}",
      "partials/missing.hbs": "\n\n{{nope}}",
      "c.hbs": "{{> again}}",
      "partials/again.hbs": "{{> again}}",
      "d.hbs": "{{[the unknown helper a - b]}}",
    });
    expect(() => including("a.hbs", {})).toThrow(/^template partials\/part\.hbs: Parse error on line 2/);
    expect(() => including("b.hbs", {})).toThrow(/^template partials\/missing\.hbs: .*nope.* 3:2$/);
    expect(() => including("c.hbs", {})).toThrow(/^template partials\/again\.hbs: Maximum call stack/);
    expect(() => including("d.hbs", {})).toThrow(/^template d\.hbs: "the unknown helper a - b" not defined/);
    expect(() => including("e.hbs", {})).toThrow("template e.hbs: it is missing");
    expect(() => including("a.hbs", {})).toThrow(expect.objectContaining({ exit: 2 }));
  });

  it("runs nothing that comes in as a value", async () => {
    const { render } = await engine({ "a.hbs": "{{x}}" });
    expect(render("a.hbs", { x: "{{constructor}} {{#with x}}" })).toBe("{{constructor}} {{#with x}}");
  });

  it("gives the same text compiled before or now, and now wins when a template was edited", async () => {
    const source = "{{#each xs}}{{this}},{{/each}}{{> part}}";
    const part = "[{{y}}]";
    const compiled = (text: string): [string, unknown] => [
      sha256(text),
      load(Handlebars.precompile(text, COMPILE_OPTIONS)),
    ];
    const files = { "a.hbs": source, "partials/part.hbs": part };
    const context = { xs: [1, 2], y: 3 };
    const now = (await engine(files)).render("a.hbs", context);
    const before = (await engine(files, new Map([compiled(source), compiled(part)]))).render("a.hbs", context);
    expect([now, before]).toEqual(["1,2,[3]", "1,2,[3]"]);
    const edited = await engine({ ...files, "a.hbs": `x${source}` }, new Map([compiled(source), compiled(part)]));
    expect(edited.render("a.hbs", context)).toBe("x1,2,[3]");
  });

  it("shares nothing with other instances", async () => {
    Handlebars.registerHelper("quote", () => "stolen");
    const { render } = await engine({ "a.hbs": "{{quote x}}" });
    expect(render("a.hbs", { x: "y" })).toBe('"y"');
    Handlebars.unregisterHelper("quote");
  });
});

describe("helpers", () => {
  it.each(NASTY)("quote: %j is the same in YAML and in JSON", (text) => {
    expect(parse(quoted(text))).toBe(text);
    expect(JSON.parse(quoted(text))).toBe(text);
  });

  it("scalar: text stays text", async () => {
    const { render } = await engine({ "a.hbs": "{{scalar x}}" });
    for (const name of ["crewai", "true", "yes", "null", "on", "n", "no"])
      expect(parse(render("a.hbs", { x: name }))).toBe(name);
  });

  it("md: every character with a meaning is escaped, and no other", async () => {
    const { render } = await engine({ "a.hbs": "{{md x}}" });
    const md = (x: string): string => render("a.hbs", { x });
    expect(md("# [a](b) <i> *b* `c` | $x a-b")).toBe("\\# \\[a\\](b) \\<i\\> \\*b\\* \\`c\\` \\| \\$x a-b");
    expect(["- a", "1. a", "+ a", "a-b.c"].map(md)).toEqual(["\\- a", "1\\. a", "\\+ a", "a-b.c"]);
  });

  it("wrap: lines of at most 100 columns, and no word lost", async () => {
    const { render } = await engine({ "a.hbs": '{{wrap x "# "}}' });
    const text = Array.from({ length: 60 }, (_, index) => `word${String(index)}`).join(" ");
    const lines = render("a.hbs", { x: text }).split("\n");
    expect(lines.every((line) => line.startsWith("# ") && line.length <= 100)).toBe(true);
    expect(lines.map((line) => line.slice(2)).join(" ")).toBe(text);
  });
});
