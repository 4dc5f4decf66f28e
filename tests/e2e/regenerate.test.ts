import fs from "fs-extra";
import { watch } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { LAUNCHER, run } from "../helpers/cli.ts";
import { Workspace, stamps } from "../helpers/project-dir.ts";
import { document } from "../helpers/schemas.ts";

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
    expect(work.read("crewai/.env")).toContain("LANGFUSE_PORT=3067");
    expect(work.read("crewai/compose.yaml")).toContain("QDRANT_MEMORY_LIMIT:-4g");
    expect(work.read("crewai/framework.yaml")).toContain("port: 6400 # beside the old one");
    expect(parse(work.read("crewai/framework.yaml"))).toMatchObject({
      services: { langfuse: { port: 3067 }, postgres: { requested: false } },
    });
    expect(work.read("PORT_ALLOCATION.md")).toContain("6400");
    work.edit("crewai/framework.yaml", /  langfuse: .*\n(?:    .*\n)*/, "");
    expect(await work.ok("regenerate")).toContain("removed, because nothing needs it any more");
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
    const coloured = await run(process.execPath, [LAUNCHER, "regenerate", "--diff"], {
      cwd: work.cwd,
      env: { FORCE_COLOR: "1" },
    });
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
