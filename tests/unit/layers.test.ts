import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { sourceFiles, structureProblems } from "../helpers/layers.ts";
import { PROJECT } from "../helpers/project.ts";

describe("the structure of the source", () => {
  it("has no import that leads up, no cycle, and no room that touches what it must not", () => {
    const files = sourceFiles();
    expect(files.size).toBeGreaterThan(100);
    expect(structureProblems(files)).toEqual([]);
  });

  it.each<[string, string, string, RegExp]>([
    ["an import that leads up", "src/plan/x.ts", 'import { a } from "../apply/commit.ts";', /apply lies above plan/],
    ["one of a type alone", "src/spec/x.ts", 'import type { A } from "../flow/place.ts";', /flow lies above spec/],
    ["one inside a type", "src/spec/x.ts", 'type A = typeof import("../flow/place.ts");', /flow lies above spec/],
    ["a dynamic one", "src/lib/x.ts", 'const a = await import("../spec/schema.ts");', /spec lies above lib/],
    ["an export from above", "src/env/x.ts", 'export { a } from "../render/tree.ts";', /render lies above env/],
    ["spec from the catalogue", "src/catalogue/x.ts", 'import "../spec/schema.ts";', /spec lies above catalogue/],
    ["a file at the root of src/", "src/helper.ts", "export const a = 1;", /belongs to no room/],
    ["the command line in a generator", "generators/x.ts", 'import "../src/cli/cli.ts";', /must not know cli/],
    ["a command in a generator", "generators/x.ts", 'import "../src/commands/ports.ts";', /must not know commands/],
    ["a namespace of the file system", "src/root/x.ts", 'import * as fs from "fs";', /only apply writes/],
    ["a default import of it", "src/store/x.ts", 'import fs from "fs-extra";', /only apply writes/],
    ["a function that writes", "src/host/x.ts", 'import { writeFileSync } from "node:fs";', /only apply writes/],
    [
      "a file opened to write",
      "src/host/x.ts",
      'import { openSync } from "node:fs"; openSync(a, "w");',
      /opens a file/,
    ],
    ...["2", "0o101", '"rs+"', '"as"', "constants.O_WRONLY", "constants.O_RDONLY | constants.O_CREAT"].map(
      (flags): [string, string, string, RegExp] => [
        `the flags ${flags}`,
        "src/host/x.ts",
        `import { openSync } from "node:fs"; openSync(a, ${flags});`,
        /opens a file/,
      ],
    ),
    ["an open file outside of host", "src/root/x.ts", 'import { openSync } from "node:fs";', /only apply writes/],
    ["reading where nothing is read", "src/flow/x.ts", 'import { readFileSync } from "node:fs";', /does not touch/],
    ["a socket outside of host", "src/root/x.ts", 'import { createServer } from "node:net";', /only host asks/],
    ["a clock", "src/render/x.ts", "export const a = Date.now();", /uses Date\.now/],
    ["chance", "src/plan/x.ts", "export const a = Math.random();", /uses Math\.random/],
    [
      "inquirer outside of the generators",
      "src/commands/x.ts",
      'import inquirer from "inquirer";',
      /only generators ask/,
    ],
    ["require", "src/plan/x.ts", 'const fs = require("fs");', /cannot be seen/],
    ["a computed import", "src/plan/x.ts", "await import(name);", /cannot be seen/],
  ])("finds %s", (_, path, text, expected) => {
    const files = new Map(sourceFiles()).set(path, text);
    expect(structureProblems(files)).toEqual([expect.stringMatching(expected)]);
  });

  it("finds a cycle inside a room, whatever kind of import closes it", () => {
    const files = new Map(sourceFiles())
      .set("src/plan/a.ts", 'import { b } from "./b.ts";')
      .set("src/plan/b.ts", 'import type { C } from "./c.ts";')
      .set("src/plan/c.ts", 'await import("./a.ts");');
    expect(structureProblems(files)).toEqual(["cycle: src/plan/a.ts -> src/plan/b.ts -> src/plan/c.ts"]);
  });

  it("names no service outside the catalogue", () => {
    const ids = fs.readdirSync(join(PROJECT, "templates/services"));
    expect(ids.length).toBeGreaterThan(3);
    const found = [...sourceFiles()].flatMap(([path, text]) => {
      // Usage texts and hints show examples of two services; the one that others can use is named nowhere.
      const examples = /"(?:npm run [^"]*|for example[^"]*)"|`(?:npm run|for example)[^`]*`/g;
      const code = text.replaceAll(examples, "").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      const named = ids.filter((id) => new RegExp(`\\b${id}\\b`).test(code));
      return [...named, ...(/langfuse/i.test(text) ? ["langfuse"] : [])].map((id) => `${path}: ${id}`);
    });
    expect(found).toEqual([]);
  });
});
