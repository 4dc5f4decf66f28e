import fs from "fs-extra";
import { describe, expect, it } from "vitest";

import { cli, LAUNCHER, run } from "../helpers/cli.ts";
import { ageLocks, countWrites, killAt } from "../helpers/sweep.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { tempDir } from "../helpers/temp.ts";

describe("ports that are known although a directory is broken", () => {
  it("are those that its .env will have: a clone has none yet", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    fs.removeSync(work.path("crewai/.env"));
    work.write("crewai/framework.yaml", "name: [");
    const args = ["new-framework", "dspy", "--yes", "--services", "qdrant", "--port", "qdrant=6333"];
    const { code, stderr } = await work.run(...args);
    expect([code, stderr]).toEqual([3, expect.stringContaining("6333")]);
    expect(work.has("dspy")).toBe(false);
  });
});

describe("a framework that is removed again after a kill", () => {
  it("loses its .env when that is asked for now", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    const copy = tempDir();
    fs.copySync(work.cwd, copy);
    const args = ["remove-framework", "crewai", "--yes"];
    const { calls } = await countWrites(args, copy);
    await killAt(calls.findIndex((call) => /rename.*journal\.json/.test(call)) + 2, args, work.cwd);
    ageLocks(work.path("."));
    expect(work.has("crewai/.env")).toBe(true);
    await work.ok(...args, "--purge-secrets");
    expect(work.has("crewai/.env")).toBe(false);
  });
});

describe("a left .env that is taken up again", () => {
  it("is refused when its names are reserved, before anything is written", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit("crewai/.env", /^APP_DB_USER=.*$/m, "APP_DB_USER=postgres");
    await work.ok("remove-framework", "crewai", "--yes");
    const { code, stderr } = await work.run("new-framework", "crewai", "--yes", "--services", "postgres");
    expect([code, stderr]).toEqual([2, expect.stringContaining("APP_DB_USER")]);
    expect(work.has("crewai/compose.yaml")).toBe(false);
  });
});

describe("a registry mirror that another host has in its .env", () => {
  it("is said to have no effect", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit("crewai/framework.yaml", "images: pinned\n", "images: pinned\nregistry: mirror.example/hub\n");
    await work.ok("regenerate");
    fs.appendFileSync(work.path("crewai/.env"), "IMAGE_REGISTRY=other.example/hub/\n");
    expect(await work.ok("regenerate")).toContain("IMAGE_REGISTRY in crewai/.env has no effect any more");
    work.edit("crewai/.env", "other.example", "mirror.example");
    expect(await work.ok("regenerate")).not.toContain("IMAGE_REGISTRY");
  });
});

describe("recorded digests", () => {
  it("go with their service, and are not asked for in a check", async () => {
    const work = await new Workspace().make("crewai", "qdrant,postgres", "--images", "digest");
    const digest = `qdrant/qdrant:v1.19.0-unprivileged@sha256:${"a".repeat(64)}`;
    work.edit("crewai/framework.yaml", "images: digest\n", `images: digest\ndigests:\n  qdrant: "${digest}"\n`);
    await work.ok("regenerate");
    await work.ok("remove-service", "qdrant", "crewai", "--yes");
    expect(work.read("crewai/framework.yaml")).not.toContain("digests:");
    expect(await work.run("regenerate", "--check", "--digests")).toMatchObject({ code: 2 });
  });

  it("are part of the next steps", async () => {
    const work = new Workspace();
    const args = ["new-framework", "crewai", "--yes", "--services", "qdrant", "--images", "digest"];
    expect(await work.ok(...args)).toMatch(/docker compose pull\n.*npm run regenerate -- crewai --digests\n/);
  });
});

describe("a directory that a newer version made", () => {
  it("is this version's once that was asked for, also when no file changes", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit("crewai/.scaffold/state.json", /"program": ".*"/, '"program": "9.9.9"');
    expect((await work.run("regenerate")).code).toBe(1);
    await work.ok("regenerate", "--allow-downgrade");
    expect(work.read("crewai/.scaffold/state.json")).not.toContain("9.9.9");
    expect(await work.ok("regenerate")).toBe("crewai: nothing to do\n");
    await work.ok("status", "--check");
  });

  it("can be moved by ports --fix", async () => {
    const work = await (await new Workspace().make("crewai", "postgres")).make("dspy", "postgres");
    work.edit("dspy/framework.yaml", /port: \d+/, "port: 5432");
    work.edit("dspy/.env", /^POSTGRES_PORT=.*$/m, "POSTGRES_PORT=5432");
    work.edit("dspy/.scaffold/state.json", /"program": ".*"/, '"program": "9.9.9"');
    expect((await work.run("ports", "--fix")).stderr).toContain("--allow-downgrade");
    await work.ok("ports", "--fix", "--allow-downgrade");
  });
});

describe("an answers file that is a pipe", () => {
  it("is waited for", async () => {
    const work = new Workspace();
    const answers = "name: crewai\\nservices: [postgres]\\n";
    const command = `${process.execPath} ${LAUNCHER} new-framework --yes --answers <(sleep 0.7; printf '${answers}')`;
    const { code, stderr } = await run("bash", ["-c", command], { cwd: work.cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(work.has("crewai/compose.yaml")).toBe(true);
  });
});

describe("a command inside a framework's directory", () => {
  it.each(["status", "ports", "regenerate", "new-framework"])(
    "%s makes no root there, and says where it is",
    async (name) => {
      const work = await new Workspace().make("crewai", "postgres");
      const args = name === "new-framework" ? [name, "dspy", "--yes"] : [name];
      for (const dir of ["crewai", "crewai/config"]) {
        const { code, stderr } = await cli(args, { cwd: work.path(dir) });
        expect([code, stderr]).toEqual([2, expect.stringContaining(`cd ${work.cwd}`)]);
      }
      expect(work.has("crewai/frameworks")).toBe(false);
      expect(await cli(["status", "--root", ".."], { cwd: work.path("crewai") })).toMatchObject({ code: 0 });
    },
  );
});

describe("a result that cannot be written", () => {
  it.each(["status", "ports", "regenerate"])("%s fails, and says so", async (name) => {
    const work = await new Workspace().make("crewai", "postgres");
    const { code, stderr } = await run("bash", ["-c", `${process.execPath} ${LAUNCHER} ${name} --json >/dev/full`], {
      cwd: work.cwd,
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("standard output")]);
  });
});

describe("what a diff shows of .env values", () => {
  it("hides passwords in URLs, and not every `true`", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    fs.appendFileSync(work.path("crewai/.env"), "REPORTS_URL=postgres://u:hunter2hunter2@h/db\nAUTH_ENABLED=true\n");
    // Beside the line that the templates change, so that both are in what the diff shows.
    const at = "    shm_size: 256m\n";
    work.edit("crewai/compose.yaml", at, `    labels:\n      a: "true"\n      b: hunter2hunter2\n${at}`);
    const templates = work.newer({
      "services/postgres/compose.yaml.hbs": (text) => text.replace("shm_size: 256m", "shm_size: 512m"),
    });
    const printed = await work.ok("regenerate", "--diff", "--dry-run", "--templates", templates);
    expect(printed).not.toContain("hunter2hunter2");
    expect(printed).toMatch(/ {6}a: "true"\n.* {6}b: \[redacted\]\n/);
    expect(printed).toContain("shm_size: 512m");
  });
});
