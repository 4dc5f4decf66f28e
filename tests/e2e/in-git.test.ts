import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { LAUNCHER, run } from "../helpers/cli.ts";
import { Workspace, stamps } from "../helpers/project-dir.ts";
import { tempDir } from "../helpers/temp.ts";

const COMPOSE = "services/postgres/compose.yaml.hbs";
const README = "framework/emit/README.md.hbs";
const grace = (text: string): string => text.replace("stop_grace_period: 60s", "stop_grace_period: 90s");
const started = (text: string): string => text.replace("## Start and stop", "## Starting");

describe("a directory in git", () => {
  const git = async (cwd: string, ...args: string[]): Promise<void> => {
    const { code, stderr } = await run("git", [
      "-C",
      cwd,
      "-c",
      "user.name=x",
      "-c",
      "user.email=x@x.example",
      ...args,
    ]);
    if (code !== 0) throw new Error(stderr);
  };

  it("is brought to life in a clone: .env is made, unless volumes of it exist on the engine", async () => {
    const work = await new Workspace().make("crewai");
    fs.removeSync(work.path("crewai/.env"));
    const bin = join(tempDir(), "bin");
    const docker = (volumes: string): Promise<{ code: number | null; stdout: string; stderr: string }> => {
      fs.outputFileSync(join(bin, "docker"), `#!/bin/sh\n[ "$1 $2" = "volume ls" ] && printf '${volumes}'\n`, {
        mode: 0o755,
      });
      return run(process.execPath, [LAUNCHER, "regenerate"], {
        cwd: work.cwd,
        env: { PATH: `${bin}:${process.env["PATH"] ?? ""}` },
      });
    };
    const before = stamps(work.cwd);
    const refused = await docker(String.raw`other\ncrewai_postgres_data\n`);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("new secrets would not open their data"),
    ]);
    expect(refused.stderr).toContain("docker volume rm crewai_postgres_data");
    expect(stamps(work.cwd)).toEqual(before);
    const made = await docker(String.raw`crewai_x_postgres_data\n`);
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining("create    .env")]);
    expect(work.read("crewai/.env")).toMatch(/POSTGRES_PASSWORD=[0-9a-f]{64}\n/);
    expect(fs.statSync(work.path("crewai/.env")).mode & 0o777).toBe(0o600);
  });

  it("takes what git does to line ends and modes for no edit, and keeps the line ends", async () => {
    const work = await new Workspace().make("crewai");
    fs.removeSync(work.path("crewai/.gitattributes"));
    for (const path of ["README.md", "compose.yaml"])
      work.write(`crewai/${path}`, work.read(`crewai/${path}`).replaceAll("\n", "\r\n"));
    fs.chmodSync(work.path("crewai/config/postgres/initdb/10-application.sh"), 0o644);
    const before = stamps(work.cwd);
    expect(await work.ok("regenerate")).toContain("nothing to do");
    expect(stamps(work.cwd)).toEqual(before);
    const templates = work.newer({ [COMPOSE]: grace, [README]: started });
    expect(await work.ok("regenerate", "--templates", templates)).toMatch(/update {4}compose\.yaml/);
    expect(work.read("crewai/compose.yaml")).toMatch(/stop_grace_period: 90s\r\n/);
    expect(work.read("crewai/compose.yaml")).not.toMatch(/(?<!\r)\n/);
  });

  it("merges two branches, one that added a service and one that took an update, without a conflict in .scaffold", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    await git(work.cwd, "init", "-qb", "main");
    await git(work.cwd, "add", "-A");
    await git(work.cwd, "commit", "-qm", "made");
    await git(work.cwd, "checkout", "-qb", "update");
    const templates = work.newer({ [COMPOSE]: grace });
    await work.ok("regenerate", "--templates", templates);
    await git(work.cwd, "add", "frameworks");
    await git(work.cwd, "commit", "-qm", "update");
    await git(work.cwd, "checkout", "-q", "main");
    await work.ok("add-service", "langfuse");
    await git(work.cwd, "add", "frameworks");
    await git(work.cwd, "commit", "-qm", "langfuse");
    await git(work.cwd, "merge", "-q", "update");
    expect(await work.ok("regenerate", "--templates", templates)).toContain("nothing to do");
    expect(work.read("crewai/compose.yaml")).toContain("stop_grace_period: 90s");
  });

  it("never takes a base with git's conflict markers for one", async () => {
    const work = await new Workspace().make("crewai");
    const base = "crewai/.scaffold/base/README.md.base";
    work.write(base, `<<<<<<< HEAD\n${work.read(base)}=======\n>>>>>>> other\n`);
    work.edit("crewai/README.md", "## Start and stop", "## How we start it");
    expect((await work.run("regenerate")).code).toBe(4);
    await work.ok("regenerate", "--ours");
    expect(work.read(base)).not.toContain("<<<<<<<");
  });
});
