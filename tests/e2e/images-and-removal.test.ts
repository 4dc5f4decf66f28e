import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { LAUNCHER, run, snapshot } from "../helpers/cli.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { tempDir } from "../helpers/temp.ts";

describe("another version of an image", () => {
  const image = (service: string, from: string, to: string): Record<string, (text: string) => string> => ({
    [`services/${service}/service.yaml`]: (text) => text.replaceAll(from, to),
  });

  it("is refused where the data would not follow, with what to do, and nothing is written", async () => {
    const work = await new Workspace().make("crewai");
    const before = snapshot(work.cwd);
    const major = work.newer(image("postgres", "postgres:15-alpine", "postgres:17-alpine"), "major");
    const postgres = await work.run("regenerate", "--templates", major);
    expect([postgres.code, postgres.stderr]).toEqual([
      1,
      expect.stringContaining("postgres:15-alpine to postgres:17-alpine"),
    ]);
    expect(postgres.stderr).toContain("Dump every database");
    expect(postgres.stderr).toContain("POSTGRES_IMAGE=postgres:17-alpine");
    const skip = work.newer(image("qdrant", "v1.19.0", "v1.21.0"), "skip");
    const qdrant = await work.run("regenerate", "--templates", skip);
    expect([qdrant.code, qdrant.stderr]).toEqual([1, expect.stringContaining("one minor version to the next")]);
    fs.removeSync(join(work.cwd, "major"));
    fs.removeSync(join(work.cwd, "skip"));
    expect(snapshot(work.cwd)).toEqual(before);
  });

  it("is told where it is fine, and not refused once .env names the image that really runs", async () => {
    const work = await new Workspace().make("crewai");
    const next = work.newer(image("qdrant", "v1.19.0", "v1.20.2"));
    expect(await work.ok("regenerate", "--templates", next)).toContain(
      "qdrant: image qdrant/qdrant:v1.19.0-unprivileged -> qdrant/qdrant:v1.20.2-unprivileged. Qdrant migrates",
    );
    const major = work.newer(image("postgres", "postgres:15-alpine", "postgres:17-alpine"));
    fs.appendFileSync(work.path("crewai/.env"), "POSTGRES_IMAGE=postgres:17-alpine\n");
    await work.ok("regenerate", "--templates", major);
    expect(work.read("crewai/compose.yaml")).toContain("postgres:17-alpine");
  });
});

describe("remove-framework", () => {
  it("asks, and without a terminal says what is missing", async () => {
    const work = await new Workspace().make("crewai");
    const before = snapshot(work.cwd);
    const { code, stderr } = await work.run("remove-framework", "crewai");
    expect([code, stderr]).toEqual([2, expect.stringContaining("missing: --yes")]);
    expect((await work.run("remove-framework", "--yes")).stderr).toContain("missing: the framework");
    expect(await work.ok("remove-framework", "crewai", "--dry-run")).toContain("delete    compose.yaml");
    expect(snapshot(work.cwd)).toEqual(before);
  });

  it("deletes what was generated; secrets and what is somebody's own stay, and it says which", async () => {
    const work = await new Workspace().make("crewai");
    await work.make("dspy");
    work.write("crewai/notes.txt", "mine");
    work.write("crewai/config/own.yaml", "mine");
    const env = work.read("crewai/.env");
    const printed = await work.ok("remove-framework", "crewai", "--yes");
    expect(snapshot(work.path("crewai"))).toEqual({
      ".env": env,
      ".gitignore": expect.stringContaining("/.env") as string,
      "config/own.yaml": "mine",
      "notes.txt": "mine",
    });
    expect(printed).toContain("What stays in frameworks/crewai: .env, .gitignore, config, notes.txt");
    expect(printed).toContain("docker volume rm crewai_postgres_data crewai_qdrant_data");
    expect(work.read("PORT_ALLOCATION.md")).not.toContain("crewai");
    await work.ok("ports", "--check");
  });

  it("leaves what a new framework of that name takes up: the same secrets, and files of one's own", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    work.write("crewai/notes.txt", "mine");
    fs.appendFileSync(work.path("crewai/.env"), "MINE=1\n");
    const key = /QDRANT_API_KEY=.*/.exec(work.read("crewai/.env"))?.[0];
    await work.ok("remove-framework", "crewai", "--yes");
    const printed = await work.ok(
      "new-framework",
      "crewai",
      "--yes",
      "--services",
      "qdrant,postgres",
      "--port",
      "qdrant=6500",
    );
    expect(printed).toContain("the .env that was left is used");
    expect(work.read("crewai/.env")).toContain(key);
    expect(work.read("crewai/.env")).toMatch(/QDRANT_PORT=6500\n[\s\S]*MINE=1\n/);
    expect(fs.statSync(work.path("crewai/.env")).mode & 0o777).toBe(0o600);
    expect(work.read("crewai/notes.txt")).toBe("mine");
    expect(await work.ok("regenerate")).toContain("nothing to do");
    await work.ok("remove-framework", "crewai", "--yes");
    work.write("crewai/README.md", "mine");
    expect((await work.run("new-framework", "crewai", "--yes")).stderr).toContain(
      "holds files that would be generated: README.md",
    );
  });

  it("takes the secrets too only with --purge-secrets", async () => {
    const work = await new Workspace().make("crewai");
    expect(await work.ok("remove-framework", "crewai", "--yes", "--purge-secrets")).toContain("The secrets are gone");
    expect(fs.readdirSync(work.path(""))).toEqual(["PORT_ALLOCATION.md"]);
    await work.make("crewai");
  });

  it("refuses while it runs", async () => {
    const work = await new Workspace().make("crewai");
    const bin = join(tempDir(), "bin");
    fs.outputFileSync(join(bin, "docker"), `#!/bin/sh\n[ "$1" = ps ] && echo crewai_qdrant\n`, { mode: 0o755 });
    const { code, stderr } = await run(process.execPath, [LAUNCHER, "remove-framework", "crewai", "--yes"], {
      cwd: work.cwd,
      env: { PATH: `${bin}:${process.env["PATH"] ?? ""}` },
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining("docker compose down")]);
    expect(work.has("crewai/compose.yaml")).toBe(true);
  });
});
