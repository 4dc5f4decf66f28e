import { describe, expect, it } from "vitest";

import { sha256 } from "../../../src/lib/digest.ts";
import { planNew } from "../../../src/plan/plan.ts";
import { basePath, checkState, STATE_FILE } from "../../../src/plan/state.ts";
import { textTree } from "../../helpers/disk.ts";

const tree = textTree;

describe("planNew", () => {
  const plan = planNew("x", tree({ ".env": "A=1\n", "a.txt": "a\n", "framework.yaml": "name: x\n" }), "state\n");

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
  });

  it("puts no live file name into .scaffold", () => {
    expect(basePath(".gitignore")).toBe(".scaffold/base/.gitignore.base");
    expect(basePath("compose.yaml")).toBe(".scaffold/base/compose.yaml.base");
  });
});

describe("state.json", () => {
  it("holds nothing that two branches could disagree about", () => {
    expect(planNew("x", tree({ "a.txt": "a\n" }), "state\n").writes.get(STATE_FILE)?.content).toBe("state\n");
  });

  it.each(["", "{}", "<<<<<<< ours"])("refuses %j with a hint", (text) => {
    expect(() => {
      checkState(text, "x/.scaffold/state.json");
    }).toThrow("is damaged");
  });

  it("says so when a newer program made it", () => {
    expect(() => {
      checkState('{"schemaVersion":2}', "x/.scaffold/state.json");
    }).toThrow("newer than this program");
  });
});
