import fs from "fs-extra";
import { describe, expect, it } from "vitest";

import { snapshot } from "../helpers/cli.ts";
import { leftOut } from "../helpers/left-out.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { Terminal } from "../helpers/terminal.ts";

const there = Terminal.available();
if (!there) leftOut("the questions of add-service and the like in a real terminal", "tmux");

describe.skipIf(!there)("in a terminal", () => {
  it("add-service asks for the framework and the service that are not named", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    await work.make("dspy", "postgres");
    const terminal = Terminal.program(work.cwd, "add-service");
    await terminal.answer("Add it to which framework?", "Down", "Enter");
    await terminal.see("Which service?");
    const screen = terminal.screen();
    expect(screen).toContain("Qdrant: Vector database");
    expect(screen).not.toContain("PostgreSQL: Relational");
    await terminal.answer("Which service?", "Down", "Down", "Enter");
    await terminal.see("exit 0");
    expect(work.read("dspy/framework.yaml")).toContain("qdrant:");
    expect(work.read("crewai/framework.yaml")).not.toContain("qdrant:");
  });

  it("needs no question with one framework and a service", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    const screen = await Terminal.program(work.cwd, "add-service qdrant").see("exit 0");
    expect(screen).not.toContain("?");
  });

  it("remove-service offers what nothing needs, through Plop as well", async () => {
    const work = await new Workspace().make("crewai", "langfuse,qdrant");
    const terminal = new Terminal(process.cwd(), `npx plop remove-service -- --root '${work.path("")}'`);
    await terminal.see("Which service?");
    expect(terminal.screen()).not.toContain("PostgreSQL");
    await terminal.answer("Which service?", "Enter");
    await terminal.see("exit 0");
    expect(work.read("crewai/framework.yaml")).not.toContain("  langfuse:\n    port");
  });

  it("regenerate asks for each conflict; the default leaves it open", async () => {
    const work = await new Workspace().make("crewai");
    work.edit("crewai/compose.yaml", "shm_size: 256m", "shm_size: 1g");
    work.edit("crewai/README.md", "## Start and stop", "## How we start it");
    const templates = work.newer({
      "services/postgres/compose.yaml.hbs": (text) => text.replace("shm_size: 256m", "shm_size: 512m"),
      "framework/emit/README.md.hbs": (text) => text.replace("## Start and stop", "## Starting"),
    });
    const terminal = Terminal.program(work.cwd, `regenerate --templates ${templates}`);
    await terminal.answer("crewai/README.md: both you and the update changed it", "Down", "Down", "Enter");
    await terminal.answer("crewai/compose.yaml: both you and the update changed it", "Enter");
    await terminal.see("exit 4");
    expect(work.read("crewai/README.md")).toContain("## Starting");
    expect([work.has("crewai/README.md.incoming"), work.has("crewai/compose.yaml.incoming")]).toEqual([false, true]);
    expect(work.read("crewai/compose.yaml")).toContain("shm_size: 1g");
  });

  it("Ctrl-C at a question changes nothing", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    const before = snapshot(work.cwd);
    const terminal = Terminal.program(work.cwd, "remove-framework crewai");
    await terminal.answer("Delete ", "C-c");
    await terminal.see("exit 130");
    expect(snapshot(work.cwd)).toEqual(before);
    // A list hides it.
    expect(terminal.hasCursor).toBe(true);
  });

  it.each(["add-service", "remove-service", "remove-framework"])(
    "%s has nothing to ask without a framework",
    async (command) => {
      const work = new Workspace();
      fs.ensureDirSync(work.path(""));
      const terminal = Terminal.program(work.cwd, command);
      await terminal.see("exit 2");
      expect(terminal.screen()).toContain("there is no framework in frameworks");
    },
  );

  it("remove-framework asks, names what was edited, and No is the default", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit("crewai/README.md", "## Start and stop", "## How we start it");
    const first = Terminal.program(work.cwd, "remove-framework");
    await first.answer("Remove which framework?", "Enter");
    await first.see("You have edited: README.md");
    await first.answer("Delete ", "Enter");
    await first.see("Nothing was removed.");
    expect(work.has("crewai/compose.yaml")).toBe(true);
    const second = Terminal.program(work.cwd, "remove-framework crewai");
    await second.answer("Delete ", "Down", "Enter");
    await second.see("exit 0");
    expect(fs.readdirSync(work.path("crewai"))).toEqual([".env", ".gitignore"]);
  });
});
