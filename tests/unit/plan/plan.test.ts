import { describe, expect, it } from "vitest";

import { sha256 } from "../../../src/digest.ts";
import { planChange, planNew, type ChangeInput } from "../../../src/plan/plan.ts";
import { basePath, parseState, STATE_FILE } from "../../../src/plan/state.ts";
import type { Tree } from "../../../src/render/tree.ts";

const tree = (files: Record<string, string>): Tree =>
  new Map(Object.entries(files).map(([path, content]) => [path, { content, mode: 0o644 }]));
const texts = (files: Record<string, string>): Map<string, string> => new Map(Object.entries(files));

describe("planNew", () => {
  const plan = planNew("x", tree({ ".env": "A=1\n", "a.txt": "a\n", "framework.yaml": "name: x\n" }));

  it("creates every file, with the digest of its bytes", () => {
    expect(plan.actions.map(({ path, action, before, after }) => [path, action, before, after])).toEqual([
      [".env", "create", null, sha256("A=1\n")],
      ["a.txt", "create", null, sha256("a\n")],
      ["framework.yaml", "create", null, sha256("name: x\n")],
    ]);
  });

  it("keeps a base of what is generated, but none of .env and framework.yaml", () => {
    const bases = [...plan.writes.keys()].filter((path) => path.startsWith(".scaffold/"));
    expect(bases).toEqual([".scaffold/base/a.txt.base", ".scaffold/state.json"]);
    const state = parseState(plan.writes.get(STATE_FILE)?.content ?? "", "state");
    expect(state.files).toEqual([{ path: "a.txt", sha256: sha256("a\n"), mode: 0o644 }]);
  });

  it("puts no live file name into .scaffold", () => {
    expect(basePath(".gitignore")).toBe(".scaffold/base/.gitignore.base");
    expect(basePath("compose.yaml")).toBe(".scaffold/base/compose.yaml.base");
  });
});

describe("planChange", () => {
  const OLD = "one\n-\ntwo\nthree\n";
  const NEW = "one\n-\nTWO\nthree\n";

  function change(disk: string | undefined, base = OLD, extra: Partial<ChangeInput> = {}) {
    return planChange({
      framework: "x",
      before: tree({ f: OLD }),
      after: tree({ f: NEW }),
      disk: disk === undefined ? texts({}) : texts({ f: disk }),
      base: texts({ f: base }),
      state: { schemaVersion: 1, files: [{ path: "f", sha256: sha256(base), mode: 0o644 }] },
      edited: new Map(),
      ...extra,
    });
  }

  it("updates a file that nobody edited, and its base", () => {
    const plan = change(OLD);
    expect(plan.actions).toMatchObject([{ path: "f", action: "update", before: sha256(OLD), after: sha256(NEW) }]);
    expect(plan.writes.get("f")?.content).toBe(NEW);
    expect(plan.writes.get(basePath("f"))?.content).toBe(NEW);
    expect(plan.preconditions.get("f")).toBe(sha256(OLD));
  });

  it("merges an edit elsewhere in the file", () => {
    const plan = change("one\n-\ntwo\nthree\nmine\n");
    expect(plan.actions).toMatchObject([{ action: "merge" }]);
    expect(plan.writes.get("f")?.content).toBe("one\n-\nTWO\nthree\nmine\n");
  });

  it("leaves a file alone whose edit meets the change, and puts the new one beside it", () => {
    const plan = change("one\n-\nmine\nthree\n");
    expect(plan.actions).toMatchObject([{ action: "conflict" }]);
    expect([...plan.writes.keys()].filter((path) => !path.startsWith(".scaffold/"))).toEqual(["f.incoming"]);
    expect(plan.writes.has(basePath("f"))).toBe(false);
  });

  it("leaves a deleted file deleted", () => {
    const plan = change(undefined);
    expect(plan.actions).toMatchObject([{ action: "keep", reason: "you deleted it" }]);
    expect(plan.writes.size).toBe(0);
  });

  it("keeps updates of the templates pending: the base moves by the spec's change alone", () => {
    const oldBase = "zero\n-\ntwo\nthree\n";
    const plan = change(oldBase, oldBase);
    expect(plan.writes.get("f")?.content).toBe("zero\n-\nTWO\nthree\n");
    expect(plan.writes.get(basePath("f"))?.content).toBe("zero\n-\nTWO\nthree\n");
  });

  it("has nothing to do when the spec did not change", () => {
    const plan = change(OLD, OLD, { after: tree({ f: OLD }) });
    expect([plan.actions, plan.writes.size]).toEqual([[], 0]);
  });
});

describe("state.json", () => {
  it.each(["", "{}", "<<<<<<< ours", '{"schemaVersion":1,"files":[{}]}'])("refuses %j with a hint", (text) => {
    expect(() => parseState(text, "x/.scaffold/state.json")).toThrow("is damaged");
  });
});
