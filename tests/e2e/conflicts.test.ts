import fs from "fs-extra";
import { describe, expect, it } from "vitest";

import { Workspace, stamps } from "../helpers/project-dir.ts";

const COMPOSE = "services/postgres/compose.yaml.hbs";
const README = "framework/emit/README.md.hbs";
const grace = (text: string): string => text.replace("stop_grace_period: 60s", "stop_grace_period: 90s");
const shm = (text: string): string => text.replace("shm_size: 256m", "shm_size: 512m");
const started = (text: string): string => text.replace("## Start and stop", "## Starting");

describe("a conflict", () => {
  async function open(): Promise<{ work: Workspace; templates: string; mine: string }> {
    const work = await new Workspace().make("crewai");
    work.edit("crewai/compose.yaml", "shm_size: 256m", "shm_size: 1g");
    work.edit("crewai/README.md", "## Start and stop", "## How we start it");
    const mine = work.read("crewai/compose.yaml");
    const templates = work.newer({ [COMPOSE]: (text) => grace(shm(text)), [README]: started });
    const { code, stderr } = await work.run("regenerate", "--templates", templates);
    expect([code, stderr]).toEqual([
      4,
      expect.stringContaining("2 conflicts are open: crewai/README.md, crewai/compose.yaml"),
    ]);
    expect(work.read("crewai/compose.yaml")).toBe(mine);
    expect(work.read("crewai/compose.yaml.incoming")).toContain("shm_size: 512m");
    return { work, templates, mine };
  }

  it("stays open, writing nothing more, until the .incoming is deleted; then the edit is what counts", async () => {
    const { work, templates } = await open();
    const before = stamps(work.cwd);
    expect((await work.run("regenerate", "--templates", templates)).code).toBe(4);
    expect(stamps(work.cwd)).toEqual(before);
    work.edit("crewai/compose.yaml", "stop_grace_period: 60s", "stop_grace_period: 90s");
    fs.removeSync(work.path("crewai/compose.yaml.incoming"));
    fs.removeSync(work.path("crewai/README.md.incoming"));
    await work.ok("regenerate", "--templates", templates);
    expect(work.read("crewai/compose.yaml")).toContain("shm_size: 1g");
    expect(await work.ok("regenerate", "--templates", templates)).toContain("nothing to do");
    const newer = work.newer({
      [COMPOSE]: (text) => text.replace("stop_grace_period: 90s", "stop_grace_period: 120s"),
    });
    await work.ok("regenerate", "--templates", newer);
    expect(work.read("crewai/compose.yaml")).toMatch(/shm_size: 1g\n.*stop_grace_period: 120s/);
  });

  it("--ours keeps the file, --theirs takes the new one; for all, or for one", async () => {
    const { work, templates, mine } = await open();
    const offered = work.read("crewai/README.md.incoming");
    const partly = await work.run("regenerate", "--theirs=README.md", "--templates", templates);
    expect([partly.code, partly.stderr]).toEqual([
      4,
      expect.stringContaining("a conflict is open: crewai/compose.yaml"),
    ]);
    expect([work.read("crewai/README.md"), work.has("crewai/README.md.incoming")]).toEqual([offered, false]);
    await work.ok("regenerate", "crewai", "--ours", "--templates", templates);
    expect([work.read("crewai/compose.yaml"), work.has("crewai/compose.yaml.incoming")]).toEqual([mine, false]);
    expect(await work.ok("regenerate", "--templates", templates)).toContain("nothing to do");
  });

  it("can be decided at once, and the wrong path is refused", async () => {
    const { work, templates } = await open();
    const wrong = await work.run("regenerate", "--ours=framework.yaml", "--templates", templates);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining("in conflict: crewai/README.md, crewai/compose.yaml"),
    ]);
    expect((await work.run("regenerate", "--ours", "--theirs")).code).toBe(2);
    await work.ok("regenerate", "--theirs=crewai/README.md", "--ours=compose.yaml", "--templates", templates);
    expect(work.read("crewai/README.md")).toContain("## Starting");
    expect(work.read("crewai/compose.yaml")).toContain("shm_size: 1g");
  });

  it("deletes nothing while it is open", async () => {
    const work = await new Workspace().make("crewai", "langfuse,qdrant");
    work.edit("crewai/README.md", "## Start and stop", "## How we start it");
    work.edit("crewai/framework.yaml", /  langfuse:\n(?:    .*\n)*/, "");
    const templates = work.newer({ [README]: started });
    expect((await work.run("regenerate", "--templates", templates)).code).toBe(4);
    expect(work.has("crewai/config/langfuse/create-bucket.sh")).toBe(true);
    await work.ok("regenerate", "--ours", "--templates", templates);
    expect(work.has("crewai/config/langfuse")).toBe(false);
  });

  it("is what is left of a directory whose base was lost, never an overwrite", async () => {
    const work = await new Workspace().make("crewai");
    work.edit("crewai/compose.yaml", "shm_size: 256m", "shm_size: 1g");
    const mine = work.read("crewai/compose.yaml");
    fs.removeSync(work.path("crewai/.scaffold"));
    const { code, stdout } = await work.run("regenerate");
    expect([code, stdout]).toEqual([4, expect.stringContaining("nothing is known of what was generated before")]);
    expect(work.read("crewai/compose.yaml")).toBe(mine);
    // What nobody edited is known again.
    await work.ok("regenerate", "--ours");
    expect(await work.ok("regenerate")).toContain("nothing to do");
    expect(await work.ok("status")).toContain("1 edited");
  });

  it("takes the .incoming as somebody edited it, and what is newer with it", async () => {
    const { work } = await open();
    fs.appendFileSync(work.path("crewai/README.md.incoming"), "note\n");
    const templates = work.newer({ [README]: (text) => text.replace("## Logging", "## Logging, version 3") });
    await work.run("regenerate", "--theirs=README.md", "--templates", templates);
    expect(work.read("crewai/README.md")).toMatch(/## Starting[\s\S]*## Logging, version 3[\s\S]*note\n$/);
  });

  it("is said to be resolved, and which update was declined", async () => {
    const { work, templates } = await open();
    fs.removeSync(work.path("crewai/README.md.incoming"));
    const check = await work.run("regenerate", "--check", "--ours=compose.yaml", "--templates", templates);
    expect([check.code, check.stdout]).toEqual([5, expect.stringContaining("resolved: the conflict is closed")]);
    expect(check.stdout).not.toContain("nothing");
    const printed = await work.ok("regenerate", "--ours", "--templates", templates);
    expect(printed).toMatch(/keep {6}README\.md .*resolved/);
    expect(printed).toMatch(/keep {6}compose\.yaml .*kept your version: the update of it is declined/);
    expect(await work.ok("regenerate", "--templates", templates)).toBe("crewai: nothing to do\n");
  });

  it("does not bring another version of an image past its refusal", async () => {
    const work = await new Workspace().make("crewai");
    work.edit("crewai/compose.yaml", "restart: unless-stopped", "restart: always");
    const templates = work.newer({
      "services/postgres/service.yaml": (text) => text.replaceAll("postgres:15-alpine", "postgres:16-alpine"),
      [COMPOSE]: (text) => text.replace("restart: unless-stopped", "restart: on-failure"),
    });
    const { code, stderr } = await work.run("regenerate", "--templates", templates);
    expect([code, stderr]).toEqual([1, expect.stringContaining("Dump every database")]);
    expect(work.has("crewai/compose.yaml.incoming")).toBe(false);
  });
});
