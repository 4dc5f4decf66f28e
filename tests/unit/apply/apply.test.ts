import fs from "fs-extra";
import nodeFs from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";

import { commit as commitWith } from "../../../src/apply/commit.ts";
import { Journal } from "../../../src/apply/journal.ts";
import { containedPath } from "../../../src/apply/paths.ts";
import { recover } from "../../../src/apply/recover.ts";
import { NOTHING, type Transaction } from "../../../src/apply/transaction.ts";
import { sha256 } from "../../../src/lib/digest.ts";
import { hasJournal, isUnfinished, JOURNAL_DIR } from "../../../src/store/journal.ts";
import { snapshot } from "../../helpers/cli.ts";
import { newTempDir, removeDir, tempDir } from "../../helpers/temp.ts";

const file = (content: string, mode = 0o644): { content: string; mode: number } => ({ content, mode });
const held = (): void => undefined;

/** A whole command: one change, then the journal goes. */
function commit(root: string, transaction: Transaction, requireHeld: () => void): void {
  const journal = new Journal(root, requireHeld);
  commitWith(root, transaction, journal, requireHeld);
  journal.remove();
}

/** @param before texts that files have, by path; `null` in `writes`: the file is deleted */
function change(writes: Record<string, string | null>, before: Record<string, string> = {}): Transaction {
  const texts = Object.entries(writes).flatMap(([path, text]) => (text === null ? [] : [[path, file(text)] as const]));
  return {
    ...NOTHING,
    writes: new Map(texts),
    removes: new Set(Object.keys(writes).filter((path) => writes[path] === null)),
    preconditions: new Map(
      Object.keys(writes).map((path) => [path, before[path] === undefined ? null : sha256(before[path])]),
    ),
  };
}

function fill(root: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) fs.outputFileSync(join(root, path), text);
}

function rootWith(files: Record<string, string>): string {
  const root = tempDir();
  fill(root, files);
  return root;
}

describe("commit", () => {
  it("writes, deletes, and removes directories that are empty then", () => {
    const root = rootWith({ "x/a": "old", "x/config/b/c": "1", "x/keep": "1" });
    commit(
      root,
      change({ "x/a": "new", "x/d/e": "2", "x/config/b/c": null }, { "x/a": "old", "x/config/b/c": "1" }),
      held,
    );
    expect(snapshot(root)).toEqual({ "x/a": "new", "x/d/e": "2", "x/keep": "1" });
  });

  it("leaves an empty directory that may not be removed, such as a mount", () => {
    const root = rootWith({ "x/config/b/c": "1" });
    const rmdir = vi.spyOn(nodeFs, "rmdirSync").mockImplementationOnce(() => {
      throw Object.assign(new Error("EBUSY"), { code: "EBUSY", syscall: "rmdir" });
    });
    commit(root, change({ "x/config/b/c": null }, { "x/config/b/c": "1" }), held);
    expect(rmdir).toHaveBeenCalled();
    rmdir.mockRestore();
    expect([snapshot(root), isUnfinished(root)]).toEqual([{ "x/config/b": "(empty directory)" }, false]);
  });

  it("puts a new directory in place with modes that do not depend on the umask", () => {
    const root = tempDir();
    const files = new Map([
      ["a/b.sh", file("#!/bin/sh\n", 0o755)],
      [".env", file("A=1\n", 0o600)],
    ]);
    const before = process.umask(0o077);
    try {
      commit(root, { ...NOTHING, directories: new Map([["x", files]]) }, held);
      commit(root, change({ "y/c/d": "1" }), held);
    } finally {
      process.umask(before);
    }
    const mode = (path: string): number => fs.statSync(join(root, path)).mode & 0o777;
    expect(["x", "x/a", "x/a/b.sh", "x/.env", "y/c", "y/c/d"].map(mode)).toEqual([
      0o755, 0o755, 0o755, 0o600, 0o755, 0o644,
    ]);
    expect(fs.readdirSync(root)).toEqual(["x", "y"]);
  });

  it("keeps the mode that somebody gave a file, and .env private", () => {
    const root = rootWith({ "x/a": "old", "x/.env": "old" });
    fs.chmodSync(join(root, "x/a"), 0o640);
    fs.chmodSync(join(root, "x/.env"), 0o644);
    const writes = new Map([
      ["x/a", file("new", 0o755)],
      ["x/.env", file("new", 0o600)],
    ]);
    commit(root, { ...change({ "x/a": "", "x/.env": "" }, { "x/a": "old", "x/.env": "old" }), writes }, held);
    expect(["a", ".env"].map((name) => fs.statSync(join(root, "x", name)).mode & 0o777)).toEqual([0o751, 0o600]);
  });

  it("writes nothing when a file changed since the plan was made", () => {
    const root = rootWith({ "x/a": "changed meanwhile" });
    expect(() => {
      commit(root, change({ "x/a": "new", "x/b": "1" }, { "x/a": "old" }), held);
    }).toThrow("x/a changed while this command was running");
    expect(snapshot(root)).toEqual({ "x/a": "changed meanwhile" });
  });

  it("writes nothing when a new directory has appeared", () => {
    const root = rootWith({ "x/mine": "mine" });
    expect(() => {
      commit(root, { ...NOTHING, directories: new Map([["x", new Map([["a", file("1")]])]]) }, held);
    }).toThrow("x has appeared");
    expect(snapshot(root)).toEqual({ "x/mine": "mine" });
  });

  it.each([
    [
      "a link that leads out",
      (root: string): void => fs.symlinkSync(tempDir(), join(root, "x/config")),
      "through a link",
    ],
    [
      "a link to what is not there",
      (root: string): void => fs.symlinkSync("../z/none", join(root, "x/config")),
      "through a link",
    ],
    [
      "a file where a directory is needed",
      (root: string): void => fs.writeFileSync(join(root, "x/config"), ""),
      "is not a directory",
    ],
    [
      "a directory in the file's place",
      (root: string): void => fs.mkdirpSync(join(root, "x/config/c")),
      "x/config/c is not a file",
    ],
  ])("refuses %s before anything is written", (_, make, message) => {
    const root = rootWith({ "x/a": "old" });
    make(root);
    const before = snapshot(root);
    expect(() => {
      commit(root, change({ "x/a": "new", "x/config/c": "1" }, { "x/a": "old" }), held);
    }).toThrow(message);
    expect(snapshot(root)).toEqual(before);
    expect(isUnfinished(root)).toBe(false);
  });

  it("refuses paths that lead out of the root, of a framework, or through a framework that is a link", () => {
    const root = rootWith({ "other/a": "1" });
    fs.symlinkSync("other", join(root, "x"));
    fs.mkdirSync(join(root, "y"));
    fs.symlinkSync("../other", join(root, "y/config"));
    for (const path of ["../z", "/etc/z", "x/a", "y/config/z"]) {
      expect(() => {
        commit(root, change({ [path]: "1" }, { [path]: "1" }), held);
      }, path).toThrow("leads somewhere else");
    }
    expect(snapshot(join(root, "other"))).toEqual({ a: "1" });
  });

  it("overwrites a derived file whatever stands there, but nothing that is not a file", () => {
    const root = rootWith({ "P.md": "edited" });
    const derived = new Map([["P.md", file("two\n")]]);
    commit(root, { ...NOTHING, derived }, held);
    expect(snapshot(root)).toEqual({ "P.md": "two\n" });
    fs.removeSync(join(root, "P.md"));
    fs.mkdirSync(join(root, "P.md"));
    expect(() => {
      commit(root, { ...NOTHING, derived }, held);
    }).toThrow("P.md is not a file");
  });
});

describe("a process that ends at any step", () => {
  const OLD = { "x/a": "old a", "x/config/gone": "1", "P.md": "old table", "z/b": "old b" };
  const NEW = { "x/a": "new a", "x/c/d": "new", "P.md": "new table", "y/e": "new", "z/b": "new b" };
  const transaction: Transaction = {
    ...change(
      { "x/a": "new a", "x/c/d": "new", "x/config/gone": null, "z/b": "new b" },
      { "x/a": "old a", "x/config/gone": "1", "z/b": "old b" },
    ),
    directories: new Map([["y", new Map([["e", file("new")]])]]),
    derived: new Map([["P.md", file("new table")]]),
  };

  /** Asked before every write: from the given call on, the process writes nothing more, as if it had been killed. */
  const killedAt = (limit: number): { requireHeld: () => void; calls: () => number } => {
    let calls = 0;
    return {
      requireHeld: () => {
        calls += 1;
        if (calls > limit) throw new Error("killed");
      },
      calls: () => calls,
    };
  };
  const all = killedAt(Number.MAX_SAFE_INTEGER);
  const sample = newTempDir();
  fill(sample, OLD);
  commit(sample, transaction, all.requireHeld);
  removeDir(sample);

  it("asks before every write", () => {
    expect(all.calls()).toBeGreaterThan(15);
  });

  it.each(Array.from({ length: all.calls() }, (_, index) => index))(
    "leaves the old tree or the new one (step %i)",
    (step) => {
      const root = rootWith(OLD);
      expect(() => {
        commit(root, transaction, killedAt(step).requireHeld);
      }).toThrow("killed");
      // The recovery is killed as well, twice, each time a step later.
      for (const limit of [2, 5]) {
        try {
          recover(root, killedAt(limit).requireHeld);
        } catch (error) {
          expect(error).toEqual(new Error("killed"));
        }
      }
      recover(root, held);
      const outcome = snapshot(root);
      expect([OLD, NEW]).toContainEqual(outcome);
      expect(isUnfinished(root)).toBe(false);
      expect(recover(root, held)).toBeUndefined();
    },
  );

  it("makes one journal do for several changes, and leaves nothing when it is removed", () => {
    const root = rootWith(OLD);
    const journal = new Journal(root, held);
    commitWith(root, change({ "x/a": "1" }, { "x/a": "old a" }), journal, held);
    expect(fs.readdirSync(join(root, JOURNAL_DIR))).toEqual([".gitignore"]);
    expect([isUnfinished(root), hasJournal(root), journal.isIdle]).toEqual([false, true, true]);
    commitWith(root, change({ "x/a": "2" }, { "x/a": "1" }), journal, held);
    journal.remove();
    expect(snapshot(root)).toEqual({ ...OLD, "x/a": "2" });
  });

  it("keeps git away from what is staged, from its first moment to its last", () => {
    for (let step = 0; step < all.calls(); step += 1) {
      const root = rootWith(OLD);
      expect(() => {
        commit(root, transaction, killedAt(step).requireHeld);
      }).toThrow("killed");
      const journal = join(root, JOURNAL_DIR);
      const staged = fs.existsSync(journal) ? fs.readdirSync(journal) : [];
      if (staged.length === 0) continue;
      expect(fs.readFileSync(join(journal, ".gitignore"), "utf8")).toBe("*\n");
      expect(fs.statSync(journal).mode & 0o777).toBe(0o700);
    }
  });

  /** A change that was decided and of which nothing was carried out yet. */
  function decided(root: string): void {
    for (let step = 0; ; step += 1) {
      try {
        commit(root, transaction, killedAt(step).requireHeld);
      } catch {
        if (fs.existsSync(join(root, JOURNAL_DIR, "journal.json"))) return;
      }
      recover(root, held);
    }
  }

  it("leaves a file alone that was edited after the kill, and puts the new text beside it", () => {
    const root = rootWith(OLD);
    decided(root);
    fs.writeFileSync(join(root, "x/a"), "mine, after the kill");
    expect(recover(root, held)).toEqual({
      created: ["y"],
      removed: [],
      outcome: "finished",
      frameworks: ["y", "x", "z"],
      edited: [{ path: "x/a", beside: true }],
    });
    expect(snapshot(root)).toEqual({ ...NEW, "x/a": "mine, after the kill", "x/a.incoming": "new a" });
  });

  it("trusts no journal from elsewhere", () => {
    const root = rootWith(OLD);
    decided(root);
    // What git or an archive makes of it: the same files in another directory.
    fs.copySync(join(root, JOURNAL_DIR), join(root, "copy"));
    fs.removeSync(join(root, JOURNAL_DIR));
    fs.moveSync(join(root, "copy"), join(root, JOURNAL_DIR));
    const before = snapshot(root);
    expect(() => recover(root, held)).toThrow("was not made on this host by you");
    expect(snapshot(root)).toEqual(before);
  });

  it.each([
    ["no JSON", "{"],
    ["a path that leads out", { kind: "file", path: "../x", staged: "0.next", before: null }],
    ["a staged file that lies elsewhere", { kind: "file", path: "x/a", staged: "../../etc/passwd", before: null }],
    ["a step that nobody knows", { kind: "run", path: "x/a", staged: "0.next", before: null }],
  ])("refuses a list of steps with %s", (_, step) => {
    const root = rootWith(OLD);
    decided(root);
    const list = join(root, JOURNAL_DIR, "journal.json");
    if (typeof step === "string") fs.writeFileSync(list, step);
    else fs.writeJsonSync(list, { ...(fs.readJsonSync(list) as object), steps: [step] });
    expect(() => recover(root, held)).toThrow("is damaged");
  });

  it("follows no link that stands in a staged file's place", () => {
    const root = rootWith(OLD);
    decided(root);
    const victim = join(tempDir(), "victim");
    fs.writeFileSync(victim, "mine", { mode: 0o600 });
    const journal = join(root, JOURNAL_DIR);
    for (const name of fs.readdirSync(journal)) {
      if (!name.endsWith(".next") || fs.statSync(join(journal, name)).isDirectory()) continue;
      fs.removeSync(join(journal, name));
      fs.symlinkSync(victim, join(journal, name));
    }
    recover(root, held);
    expect([fs.readFileSync(victim, "utf8"), fs.statSync(victim).mode & 0o777]).toEqual(["mine", 0o600]);
    expect(Object.values(snapshot(root)).filter((text) => text.startsWith("->"))).toEqual([]);
  });
});

describe("containedPath", () => {
  it("accepts what is inside, also through a link that stays inside", () => {
    const dir = tempDir();
    fs.mkdirpSync(join(dir, "x/real"));
    fs.symlinkSync("real", join(dir, "x/link"));
    expect(containedPath(dir, "a/b/c")).toBe(join(dir, "a/b/c"));
    expect(containedPath(dir, "x/link/y")).toBe(join(dir, "x/link/y"));
  });

  it.each(["../x", "/etc/passwd", "a/../../x", ""])("refuses %j", (path) => {
    expect(() => containedPath(tempDir(), path)).toThrow("somewhere else");
  });

  it("refuses a file that is a link, and a folder whose name only begins like ours", () => {
    const dir = tempDir();
    fs.mkdirSync(join(dir, "x"));
    fs.mkdirSync(join(dir, "x-sibling"));
    fs.symlinkSync("../x-sibling", join(dir, "x/out"));
    fs.symlinkSync("/etc/hostname", join(dir, "x/host"));
    expect(() => containedPath(dir, "x/out/y")).toThrow("through a link");
    expect(() => containedPath(dir, "x/host")).toThrow("through a link");
  });
});
