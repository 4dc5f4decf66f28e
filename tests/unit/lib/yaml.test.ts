import { describe, expect, it } from "vitest";
import * as z from "zod";

import { UserError } from "../../../src/lib/errors.ts";
import { parseYaml } from "../../../src/lib/yaml.ts";

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
