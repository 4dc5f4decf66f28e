import fs from "fs-extra";
import { describe, expect, it } from "vitest";

import { LAUNCHER, run } from "../helpers/cli.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { countWrites, failAt, killAt } from "../helpers/sweep.ts";

const README = "framework/emit/README.md.hbs";

describe("a command that does not come to its usual end", () => {
  it("goes on writing when nobody reads what it prints", async () => {
    const work = new Workspace();
    const names = ["a", "b", "c", "d"];
    for (const name of names) await work.make(name, "qdrant");
    work.newer({ [README]: (text) => text.replace("## Logging", "## Logs") });
    const command = `'${process.execPath}' '${LAUNCHER}' regenerate --templates newer | head -n 1`;
    await run("sh", ["-c", command], { cwd: work.cwd });
    for (const name of names) expect(work.read(`${name}/README.md`), name).toContain("## Logs");
    expect(fs.readdirSync(work.path("")).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("says that it finished an interrupted change, even if it then fails", async () => {
    const [work, trial] = [
      await new Workspace().make("crewai", "qdrant"),
      await new Workspace().make("crewai", "qdrant"),
    ];
    const add = ["add-service", "postgres", "crewai"];
    const { calls } = await countWrites(add, trial.cwd);
    const decided = calls.findIndex((call) => call.startsWith("renameSync")) + 2;
    await killAt(decided, add, work.cwd);
    fs.removeSync(work.path(".framework-infra.lock"));
    const { code, stderr } = await work.run("add-service", "postgres", "nope");
    expect([code, stderr]).toEqual([2, expect.stringContaining("has been finished")]);
    expect(work.read("crewai/framework.yaml")).toContain("postgres");
  });

  it("says that a change is not complete, and which", async () => {
    const [work, trial] = [new Workspace(), new Workspace()];
    const update = ["regenerate", "--templates", "newer"];
    for (const each of [work, trial]) {
      for (const name of ["a", "b"]) await each.make(name, "qdrant");
      each.newer({ [README]: (text) => text.replace("## Logging", "## Logs") });
    }
    const { calls } = await countWrites(update, trial.cwd);
    const decided = calls.findIndex((call) => call.startsWith("renameSync")) + 2;
    const moved = calls.findIndex((call, index) => index >= decided && call.startsWith("renameSync")) + 1;
    const { code, stderr } = await failAt(moved, "EIO", update, work.cwd);
    expect([code, stderr]).toEqual([1, expect.stringContaining("the change of a is not complete, 0 of 2 frameworks")]);
    expect(await work.ok(...update)).toContain("has been finished");
    for (const name of ["a", "b"]) expect(work.read(`${name}/README.md`), name).toContain("## Logs");
  });
});

it.each([["status"], ["ports"]])("%s does not need PORT_ALLOCATION.md", async (command) => {
  const work = await new Workspace().make("crewai", "qdrant");
  fs.removeSync(work.path("PORT_ALLOCATION.md"));
  fs.mkdirSync(work.path("PORT_ALLOCATION.md"));
  expect(await work.ok(command)).toContain("crewai");
});

it("plans a first framework in a root that does not exist", async () => {
  const work = new Workspace();
  expect(await work.ok("new-framework", "crewai", "--yes", "--dry-run", "--root", "sub/frameworks")).toContain(
    "dry run",
  );
  expect(fs.readdirSync(work.cwd)).toEqual([]);
});
