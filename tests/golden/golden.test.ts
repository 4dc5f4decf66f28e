import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Tree } from "../../src/render/tree.ts";
import { portAllocation } from "../../src/render/port-table.ts";
import { builtIn, specOf, treeOf } from "../helpers/catalogue.ts";
import { PROJECT } from "../helpers/project.ts";
import { CASES } from "./cases.ts";

const FOLDER = join(PROJECT, "tests", "golden");
const update = process.env["UPDATE_GOLDEN"] === "1";

/** A live .gitignore or .env among the expected files would act on the project: `.x` is stored as `dot-x`. */
const stored = (path: string): string => path.replaceAll(/(^|\/)\./g, "$1dot-");

function filesBelow(dir: string): string[] {
  if (!fs.existsSync(dir)) return [];
  return fs
    .readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .toSorted();
}

function write(dir: string, tree: Tree): void {
  fs.removeSync(dir);
  for (const [path, file] of tree) fs.outputFileSync(join(dir, stored(path)), file.content);
}

describe.each(Object.entries(CASES))("%s", (name, draft) => {
  const dir = join(FOLDER, name);

  it("is the directory that stands in tests/golden", async () => {
    const tree = await treeOf(draft, new Map());
    if (update) write(dir, tree);
    expect(filesBelow(dir)).toEqual([...tree.keys()].map(stored).toSorted());
    for (const [path, file] of tree) expect(file.content, path).toBe(fs.readFileSync(join(dir, stored(path)), "utf8"));
  });
});

it("PORT_ALLOCATION.md of the five presets", async () => {
  const specs = await Promise.all(Object.values(CASES).map(async (draft) => specOf(draft)));
  const text = portAllocation(specs, await builtIn());
  const file = join(FOLDER, "PORT_ALLOCATION.md");
  if (update) fs.writeFileSync(file, text);
  expect(text).toBe(fs.readFileSync(file, "utf8"));
});
