import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { createDirectory, stageDerived, withDerived } from "../../../src/apply/create.ts";
import { containedPath } from "../../../src/apply/paths.ts";
import { applyPlan, isUnfinished, recover, removeStaging } from "../../../src/apply/transaction.ts";
import { sha256 } from "../../../src/digest.ts";
import { planNew, type Plan } from "../../../src/plan/plan.ts";
import { tempDir } from "../../helpers/temp.ts";

const file = (content: string, mode = 0o644): { content: string; mode: number } => ({ content, mode });

function plan(writes: Record<string, string>, before: Record<string, string> = {}): Plan {
  return {
    framework: "x",
    actions: [],
    writes: new Map(Object.entries(writes).map(([path, content]) => [path, file(content)])),
    removes: new Set(),
    preconditions: new Map(
      Object.keys(writes).map((path) => [path, before[path] === undefined ? null : sha256(before[path])]),
    ),
  };
}

/** Every file below a directory with its text. */
function snapshot(dir: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of fs.readdirSync(dir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path.slice(dir.length + 1)] = fs.readFileSync(path, "utf8");
  }
  return files;
}

describe("createDirectory", () => {
  it("writes all files with their modes, whatever the umask", () => {
    const root = tempDir();
    const before = process.umask(0o077);
    createDirectory(
      root,
      planNew(
        "x",
        new Map([
          ["a/b.sh", file("#!/bin/sh\n", 0o755)],
          [".env", file("A=1\n", 0o600)],
        ]),
      ),
    );
    process.umask(before);
    const mode = (path: string): number => fs.statSync(join(root, "x", path)).mode & 0o777;
    expect([mode(""), mode("a"), mode("a/b.sh"), mode(".env")]).toEqual([0o755, 0o755, 0o755, 0o600]);
    expect(fs.readdirSync(root)).toEqual(["x"]);
  });

  it("leaves nothing behind when it fails", () => {
    const root = tempDir();
    fs.outputFileSync(join(root, "x", "mine"), "mine");
    expect(() => {
      createDirectory(root, planNew("x", new Map([["a", file("1")]])));
    }).toThrow("has appeared meanwhile");
    expect(snapshot(root)).toEqual({ "x/mine": "mine" });
  });

  it("refuses a path that leads out", () => {
    const root = tempDir();
    expect(() => {
      createDirectory(root, plan({ "../y": "1" }));
    }).toThrow("somewhere else");
    expect(fs.readdirSync(root)).toEqual([]);
  });
});

describe("stageDerived", () => {
  it("does not write what is there already", () => {
    const root = tempDir();
    stageDerived(root, "P.md", "one\n")();
    fs.utimesSync(join(root, "P.md"), 1, 1);
    stageDerived(root, "P.md", "one\n")();
    expect(fs.statSync(join(root, "P.md")).mtimeMs).toBe(1000);
    stageDerived(root, "P.md", "two\n")();
    expect(snapshot(root)).toEqual({ "P.md": "two\n" });
  });

  it("refuses what is no file before anything else is done", () => {
    const root = tempDir();
    fs.mkdirSync(join(root, "P.md"));
    fs.symlinkSync("/etc/hostname", join(root, "L.md"));
    expect(() => stageDerived(root, "P.md", "x")).toThrow("P.md is not a file");
    expect(() => stageDerived(root, "L.md", "x")).toThrow("through a link");
    expect(fs.readdirSync(root).toSorted()).toEqual(["L.md", "P.md"]);
  });
});

it("withDerived leaves the derived file as it was when the change fails", () => {
  const root = tempDir();
  fs.writeFileSync(join(root, "P.md"), "one\n");
  expect(() => {
    withDerived(root, "P.md", "two\n", () => {
      throw new Error("no");
    });
  }).toThrow("no");
  expect(snapshot(root)).toEqual({ "P.md": "one\n" });
  withDerived(root, "P.md", "two\n", () => undefined);
  expect(snapshot(root)).toEqual({ "P.md": "two\n" });
});

describe("applyPlan", () => {
  it("writes all files and leaves no journal", () => {
    const dir = tempDir();
    fs.outputFileSync(join(dir, "a"), "old");
    applyPlan(dir, plan({ a: "new", "b/c": "1" }, { a: "old" }));
    expect(snapshot(dir)).toEqual({ a: "new", "b/c": "1" });
    expect(isUnfinished(dir)).toBe(false);
  });

  it("writes nothing when a file changed since the plan was made", () => {
    const dir = tempDir();
    fs.outputFileSync(join(dir, "a"), "changed meanwhile");
    expect(() => {
      applyPlan(dir, plan({ a: "new", b: "1" }, { a: "old" }));
    }).toThrow("changed while this command was running");
    expect(snapshot(dir)).toEqual({ a: "changed meanwhile" });
  });

  it("writes nothing through a link that leads out", () => {
    const dir = tempDir();
    const outside = tempDir();
    fs.symlinkSync(outside, join(dir, "config"));
    expect(() => {
      applyPlan(dir, plan({ "config/x": "1" }));
    }).toThrow("through a link");
    expect(fs.readdirSync(outside)).toEqual([]);
  });
});

describe("after a kill", () => {
  /** The journal as a killed process leaves it: `moved` files are in place already. */
  function killed(dir: string, decided: boolean, moved: number): void {
    const journal = join(dir, ".scaffold/journal");
    const entries = ["a", "b"].map((path, index) => ({
      path,
      staged: `${String(index)}.next`,
      mode: 0o644,
      before: path === "a" ? sha256("old a") : null,
    }));
    for (const [index, entry] of entries.entries()) {
      if (index < moved) fs.outputFileSync(join(dir, entry.path), `new ${entry.path}`);
      else fs.outputFileSync(join(journal, entry.staged), `new ${entry.path}`);
    }
    fs.ensureDirSync(journal);
    if (decided) fs.writeJsonSync(join(journal, "journal.json"), { schemaVersion: 1, entries });
  }

  it.each([0, 1, 2])("finishes a decided change with %i of 2 files in place", (moved) => {
    const dir = tempDir();
    fs.outputFileSync(join(dir, "a"), "old a");
    killed(dir, true, moved);
    expect(isUnfinished(dir)).toBe(true);
    expect(recover(dir)).toEqual(["a change that was interrupted has been finished"]);
    expect(snapshot(dir)).toEqual({ a: "new a", b: "new b" });
    expect(recover(dir)).toEqual([]);
  });

  it("leaves a file alone that was edited after the kill, and puts the new text beside it", () => {
    const dir = tempDir();
    fs.outputFileSync(join(dir, "a"), "mine, after the kill");
    killed(dir, true, 0);
    expect(recover(dir)).toEqual([
      "a change that was interrupted has been finished",
      expect.stringContaining("a was edited since"),
    ]);
    expect(snapshot(dir)).toEqual({ a: "mine, after the kill", "a.incoming": "new a", b: "new b" });
  });

  it("undoes what was only prepared", () => {
    const dir = tempDir();
    fs.outputFileSync(join(dir, "a"), "old a");
    killed(dir, false, 0);
    expect(recover(dir)).toEqual([expect.stringContaining("undone")]);
    expect(snapshot(dir)).toEqual({ a: "old a" });
  });

  it("removes a directory that was not yet in place", () => {
    const root = tempDir();
    fs.outputFileSync(join(root, ".framework-infra-new-abc", "x"), "1");
    fs.outputFileSync(join(root, "mine", "x"), "1");
    removeStaging(root);
    expect(fs.readdirSync(root)).toEqual(["mine"]);
  });
});

describe("containedPath", () => {
  it("accepts what is inside, also through a link that stays inside", () => {
    const dir = tempDir();
    fs.mkdirSync(join(dir, "real"));
    fs.symlinkSync("real", join(dir, "link"));
    expect(containedPath(dir, "a/b/c")).toBe(join(dir, "a/b/c"));
    expect(containedPath(dir, "link/x")).toBe(join(dir, "link/x"));
  });

  it.each(["../x", "/etc/passwd", "a/../../x", ""])("refuses %j", (path) => {
    expect(() => containedPath(tempDir(), path)).toThrow("somewhere else");
  });

  it("refuses a file that is a link, and a folder whose name only begins like ours", () => {
    const dir = tempDir();
    fs.mkdirSync(`${dir}-sibling`);
    fs.symlinkSync(`${dir}-sibling`, join(dir, "out"));
    fs.symlinkSync("/etc/hostname", join(dir, "host"));
    expect(() => containedPath(dir, "out/x")).toThrow("through a link");
    expect(() => containedPath(dir, "host")).toThrow("through a link");
    fs.removeSync(`${dir}-sibling`);
  });
});
