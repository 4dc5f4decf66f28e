import fs from "fs-extra";
import { watch } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { run, snapshot } from "../helpers/cli.ts";
import { Workspace, stamps } from "../helpers/project-dir.ts";
import { document } from "../helpers/schemas.ts";
import { tempDir } from "../helpers/temp.ts";

const COMPOSE = "services/postgres/compose.yaml.hbs";
const README = "framework/emit/README.md.hbs";
const grace = (text: string): string => text.replace("stop_grace_period: 60s", "stop_grace_period: 90s");
const shm = (text: string): string => text.replace("shm_size: 256m", "shm_size: 512m");
const started = (text: string): string => text.replace("## Start and stop", "## Starting");

interface Plans {
  plans: { framework: string; actions: { path: string; action: string }[] }[];
  errors?: { framework: string; code: string }[];
}

describe("regenerate", () => {
  it("with nothing new changes no byte and no time of any file or directory", async () => {
    const work = await new Workspace().make("crewai", "langfuse,qdrant,postgres");
    work.edit("crewai/compose.yaml", "shm_size: 256m", "shm_size: 1g");
    fs.removeSync(work.path("crewai/DISASTER_RECOVERY.md"));
    const before = stamps(work.cwd);
    expect(await work.ok("regenerate")).toBe("crewai: nothing to do\n");
    expect(await work.ok("regenerate", "--check")).toContain("nothing to do");
    expect(stamps(work.cwd)).toEqual(before);
  });

  it("takes an update of the templates, merges it into what was edited, and then has nothing to do", async () => {
    const work = await new Workspace().make("crewai");
    work.edit("crewai/compose.yaml", "restart: unless-stopped", "restart: always # ours");
    const templates = work.newer({ [COMPOSE]: grace, [README]: started });
    const printed = await work.ok("regenerate", "--templates", templates);
    expect(printed).toMatch(/merge {5}compose\.yaml .*your edits stay/);
    expect(printed).toMatch(/update {4}README\.md/);
    const compose = work.read("crewai/compose.yaml");
    expect([compose.includes("stop_grace_period: 90s"), compose.includes("restart: always # ours")]).toEqual([
      true,
      true,
    ]);
    const before = stamps(work.cwd);
    expect(await work.ok("regenerate", "--templates", templates)).toContain("nothing to do");
    expect(stamps(work.cwd)).toEqual(before);
  });

  it("does what an edit of framework.yaml says: a port, the profile, the images, a service", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    work.edit("crewai/framework.yaml", "port: 6333", "port: 6400 # beside the old one");
    work.edit("crewai/framework.yaml", "profile: small", "profile: medium");
    work.edit("crewai/framework.yaml", "images: pinned", "images: latest");
    work.edit("crewai/framework.yaml", "services:\n", "services:\n  langfuse: {}\n");
    const printed = await work.ok("regenerate");
    expect(printed).toContain("clickhouse, postgres, seaweedfs, valkey: added, because other services need it");
    expect(printed).toMatch(/qdrant: image .* -> qdrant\/qdrant:latest\. These two cannot be compared/);
    expect(work.read("crewai/.env")).toMatch(/QDRANT_PORT=6400\nQDRANT_URL=http:\/\/localhost:6400\n/);
    expect(work.read("crewai/.env")).toContain("LANGFUSE_PORT=3000");
    expect(work.read("crewai/compose.yaml")).toContain("QDRANT_MEMORY_LIMIT:-4g");
    expect(work.read("crewai/framework.yaml")).toContain("port: 6400 # beside the old one");
    expect(parse(work.read("crewai/framework.yaml"))).toMatchObject({
      services: { langfuse: { port: 3000 }, postgres: { requested: false } },
    });
    expect(work.read("PORT_ALLOCATION.md")).toContain("6400");
    work.edit("crewai/framework.yaml", /  langfuse: .*\n(?:    .*\n)*/, "");
    expect(await work.ok("regenerate")).toContain("taken out, because nothing needs it any more");
    expect(await work.ok("regenerate")).toContain("nothing to do");
    expect(Object.keys((parse(work.read("crewai/compose.yaml")) as { services: object }).services)).toEqual(["qdrant"]);
  });

  it("says where framework.yaml is wrong, by line and key, and refuses a port that somebody holds", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    await work.make("dspy", "qdrant");
    work.edit("crewai/framework.yaml", "services:\n", "services:\n  redis: {}\n");
    const line = work.read("crewai/framework.yaml").split("\n").indexOf("  redis: {}") + 1;
    const unknown = await work.run("regenerate", "crewai");
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining(
        `frameworks/crewai/framework.yaml:${String(line)}: services.redis: "redis" is not a service`,
      ),
    ]);
    work.edit("crewai/framework.yaml", "  redis: {}\n", "");
    work.edit("crewai/framework.yaml", "port: 6333", "port: 6334");
    const taken = await work.run("regenerate", "crewai");
    expect([taken.code, taken.stderr]).toEqual([3, expect.stringContaining("port 6334 is held by qdrant of dspy")]);
    expect((await work.run("regenerate", "--check")).code).toBe(3);
  });

  it("leaves .env's own values, and lists them; secrets stay", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    work.edit("crewai/.env", "QDRANT_URL=http://localhost:6333", "QDRANT_URL=http://qdrant.lan:6333");
    const key = /QDRANT_API_KEY=.*/.exec(work.read("crewai/.env"))?.[0];
    work.edit("crewai/framework.yaml", "port: 6333", "port: 6400");
    await work.ok("regenerate");
    expect(work.read("crewai/.env")).toContain("QDRANT_PORT=6400\nQDRANT_URL=http://qdrant.lan:6333\n");
    expect(work.read("crewai/.env")).toContain(key);
    expect(await work.ok("status")).toContain(".env overrides QDRANT_URL");
  });

  it("writes nothing in a dry run: watched while it runs, and compared after it", async () => {
    const work = await new Workspace().make("crewai");
    work.edit("crewai/compose.yaml", "shm_size: 256m", "shm_size: 1g");
    const templates = work.newer({ [COMPOSE]: (text) => grace(shm(text)), [README]: started });
    const before = stamps(work.cwd);
    const events: string[] = [];
    const watcher = watch(work.cwd, { recursive: true }, (kind, name) => events.push(`${kind} ${String(name)}`));
    try {
      for (const flag of ["--dry-run", "--diff", "--check"])
        await work.run("regenerate", flag, "--templates", templates);
      await work.run("status", "--templates", templates);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(events).toEqual([]);
      // The watcher does see a write.
      fs.appendFileSync(work.path("crewai/README.md"), "x");
      await expect.poll(() => events.length).toBeGreaterThan(0);
    } finally {
      watcher.close();
    }
    expect({ ...stamps(work.cwd), "frameworks/crewai/README.md": "" }).toEqual({
      ...before,
      "frameworks/crewai/README.md": "",
    });
  });

  it("shows a unified diff without secrets, coloured only where that is wanted", async () => {
    const work = await new Workspace().make("crewai");
    work.edit("crewai/framework.yaml", "port: 5432", "port: 5500");
    const plain = await work.run("regenerate", "--diff");
    expect(plain.stdout).toContain("--- a/crewai/.env\n+++ b/crewai/.env\n");
    expect(plain.stdout).toContain("-POSTGRES_PORT=5432\n+POSTGRES_PORT=5500\n");
    expect(plain.stdout).not.toMatch(/[0-9a-f]{64}/);
    expect(plain.stdout).not.toContain("\u001B");
    const coloured = await run(
      process.execPath,
      [join(import.meta.dirname, "../../bin/framework-infra.js"), "regenerate", "--diff"],
      {
        cwd: work.cwd,
        env: { FORCE_COLOR: "1" },
      },
    );
    expect(coloured.stdout).toContain("\u001B[32m+POSTGRES_PORT=5500\u001B[39m");
    expect(coloured.stdout).toContain("\u001B[31m-POSTGRES_PORT=5432\u001B[39m");
  });

  it("--check ends with 5 where something would change, with 4 where a conflict is or would be open", async () => {
    const work = await new Workspace().make("crewai");
    const templates = work.newer({ [COMPOSE]: shm });
    const drift = await work.run("regenerate", "--check", "--templates", templates);
    expect([drift.code, drift.stderr]).toEqual([5, expect.stringContaining("regenerate -- --diff")]);
    work.edit("crewai/compose.yaml", "shm_size: 256m", "shm_size: 1g");
    expect((await work.run("regenerate", "--check", "--templates", templates)).code).toBe(4);
  });

  it("changes several at once; one that fails does not stop the others", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    await work.make("dspy", "qdrant");
    await work.make("pocketflow", "qdrant");
    work.write("crewai/framework.yaml", "schemaVersion: [\n");
    work.edit("dspy/framework.yaml", "port: 6334", "port: 6335");
    const templates = work.newer({ [README]: started });
    const table = work.read("PORT_ALLOCATION.md");
    const { code, stdout, stderr } = await work.run("regenerate", "--json", "--templates", templates);
    const { plans, errors } = document(stdout, "plans") as unknown as Plans;
    expect(plans.map(({ framework }) => framework)).toEqual(["pocketflow"]);
    expect(errors?.map(({ framework, code: why }) => [framework, why])).toEqual([
      ["crewai", "invalid"],
      ["dspy", "port-clash"],
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("2 of 3 frameworks failed")]);
    expect(work.read("pocketflow/README.md")).toContain("## Starting");
    expect(work.read("PORT_ALLOCATION.md")).toBe(table);
    // The first of 1, 3, 4, 6, 5 that occurred.
    fs.removeSync(work.path("crewai"));
    work.edit("pocketflow/README.md", "## Starting", "## Go");
    const newer = work.newer({ [README]: (text) => text.replace("## Starting", "## Begin") });
    expect((await work.run("regenerate", "--templates", newer)).code).toBe(3);
    work.edit("dspy/framework.yaml", "port: 6335", "port: 6334");
    expect((await work.run("regenerate", "--templates", newer)).code).toBe(4);
  });

  it("does not give two frameworks one port in one run", async () => {
    const work = await new Workspace().make("agents-a", "postgres");
    await work.make("agents-b", "postgres");
    for (const name of ["agents-a", "agents-b"])
      work.edit(`${name}/framework.yaml`, "services:\n", "services:\n  qdrant: {}\n");
    await work.ok("regenerate");
    const [a, b] = ["agents-a", "agents-b"].map((name) => /QDRANT_PORT=(\d+)/.exec(work.read(`${name}/.env`))?.[1]);
    expect(a).not.toBe(b);
    await work.ok("ports", "--check");
  });
});

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
});

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
      return run(process.execPath, [join(import.meta.dirname, "../../bin/framework-infra.js"), "regenerate"], {
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
    expect(snapshot(work.path("crewai"))).toEqual({ ".env": env, "config/own.yaml": "mine", "notes.txt": "mine" });
    expect(printed).toContain("What stays in frameworks/crewai: .env, config, notes.txt");
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
    expect(await work.ok("remove-framework", "crewai", "--yes", "--purge-secrets")).toContain("Its secrets are gone");
    expect(fs.readdirSync(work.path(""))).toEqual(["PORT_ALLOCATION.md"]);
    await work.make("crewai");
  });

  it("refuses while it runs", async () => {
    const work = await new Workspace().make("crewai");
    const bin = join(tempDir(), "bin");
    fs.outputFileSync(join(bin, "docker"), `#!/bin/sh\n[ "$1" = ps ] && echo crewai_qdrant\n`, { mode: 0o755 });
    const { code, stderr } = await run(
      process.execPath,
      [join(import.meta.dirname, "../../bin/framework-infra.js"), "remove-framework", "crewai", "--yes"],
      {
        cwd: work.cwd,
        env: { PATH: `${bin}:${process.env["PATH"] ?? ""}` },
      },
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining("docker compose down")]);
    expect(work.has("crewai/compose.yaml")).toBe(true);
  });
});
