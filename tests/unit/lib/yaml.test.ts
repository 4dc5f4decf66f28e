import { describe, expect, it } from "vitest";
import * as z from "zod";

import { UserError } from "../../../src/lib/errors.ts";
import { parseYaml } from "../../../src/lib/yaml.ts";
import { yamlDocument, yamlDocuments } from "../../../src/lib/yaml-documents.ts";

const schema = z.strictObject({
  name: z.string(),
  ports: z.array(z.int()).optional(),
  deep: z.strictObject({ er: z.string() }).optional(),
});

function problems(text: string): readonly unknown[] {
  try {
    parseYaml(text, "f.yaml", schema);
  } catch (error) {
    if (error instanceof UserError) return error.details;
    throw error;
  }
  return [];
}

describe("parseYaml", () => {
  it("reads YAML and JSON", () => {
    expect(parseYaml("name: x\nports: [1]\n", "f.yaml", schema)).toEqual({ name: "x", ports: [1] });
    expect(parseYaml('{"name":"x"}', "f.yaml", schema)).toEqual({ name: "x" });
  });

  it("names line and key of every problem", () => {
    expect(problems("name: 1\nnamme: x\ndeep:\n  er: 5\n  err: 6\nports:\n  - 1\n  - x\n")).toMatchObject([
      { line: 1, key: "name" },
      { line: 8, key: "ports.1" },
      { line: 4, key: "deep.er" },
      { line: 5, key: "deep.err", message: "unknown key" },
      { line: 2, key: "namme", message: "unknown key" },
    ]);
  });

  it.each([
    ["a: [1", 1],
    ["name: x\n\tports: 1", 2],
    ["name: x\nname: y\n", 2],
  ])("gives the line of a syntax error in %j", (text, line) => {
    expect(problems(text)).toMatchObject([{ file: "f.yaml", line }]);
  });

  it("refuses aliases, the way a small file grows without bound", () => {
    expect(problems("name: &a x\ndeep: {er: *a}\n")).toMatchObject([{ message: expect.stringContaining("aliases") }]);
  });

  it("says what is missing in an empty file", () => {
    expect(problems("# nothing\n")).toMatchObject([{ key: "name" }]);
    expect(problems("- a\n- b\n")).toHaveLength(1);
  });
});

describe("yamlDocument", () => {
  it("finds keys that a mapping has twice, at any depth, and not those of two mappings", () => {
    const errors = (text: string): string[] => yamlDocument(text).errors.map(({ code }) => code);
    expect(errors("a: 1\nb:\n  a: 1\nc: { a: 1 }\n")).toEqual([]);
    expect(errors("a:\n  b: 1\n  c: 2\n  b: 3\n")).toEqual(["DUPLICATE_KEY"]);
    expect(errors("a: { b: 1, 'b': 2 }\n")).toEqual(["DUPLICATE_KEY"]);
  });

  it.each([
    ["brackets", "[".repeat(500_000)],
    ["braces", "{a: ".repeat(200_000)],
    ["dashes", `${"- ".repeat(200_000)}a`],
    ["indentation", Array.from({ length: 1_500 }, (_, n) => `${" ".repeat(n)}a:\n`).join("")],
  ])("says that a text is nested too deeply: %s", (_, text) => {
    expect(yamlDocument(text).errors).not.toEqual([]);
    expect(yamlDocuments(text)[0]?.errors).not.toEqual([]);
  });
});
