import fs from "fs-extra";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { cli } from "../helpers/cli.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { ageLocks, countWrites, killAt } from "../helpers/sweep.ts";
import { tempDir } from "../helpers/temp.ts";

/** An engine that answers as it is told, and writes down what it was asked. */
function engine(work: Workspace, script: string): NodeJS.ProcessEnv {
  const bin = join(work.cwd, "bin");
  fs.outputFileSync(join(bin, "docker"), `#!/bin/sh\necho "$@" >>${join(bin, "asked")}\n${script}\n`, { mode: 0o755 });
  return { PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` };
}

async function listenOn(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
}

describe("new secrets for old volumes", () => {
  it("are refused under the name that .env gives the volumes, too", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit("crewai/.env", /^FRAMEWORK_NAME=.*$/m, "FRAMEWORK_NAME=other");
    work.edit("crewai/.env", /^POSTGRES_PASSWORD=.*$/m, "POSTGRES_PASSWORD=");
    const env = engine(work, '[ "$1 $2" = "volume ls" ] && echo other_postgres_data');
    const { code, stderr } = await cli(["regenerate"], { cwd: work.cwd, env });
    expect([code, stderr]).toEqual([1, expect.stringContaining(".env lacks secrets")]);
    expect(stderr).toContain("docker volume rm other_postgres_data");
  });
});

describe("a port that was changed", () => {
  it("is checked when .env was changed with framework.yaml", async () => {
    const work = await new Workspace().make("crewai", "qdrant", "--port", "qdrant=20711");
    await work.make("dspy", "qdrant", "--port", "qdrant=20712");
    work.edit("crewai/framework.yaml", "port: 20711", "port: 20712");
    work.edit("crewai/.env", "QDRANT_PORT=20711", "QDRANT_PORT=20712");
    const { code, stderr } = await work.run("regenerate");
    expect([code, stderr]).toEqual([3, expect.stringContaining("port 20712 is held by qdrant of dspy")]);
    expect(stderr).toMatch(/crewai\/framework\.yaml:\d+: services\.qdrant\.port/);
  });

  it("may be one that this framework's own containers still hold, and nobody else's", async () => {
    const work = await new Workspace().make("crewai", "qdrant", "--port", "qdrant=20721");
    work.edit("crewai/framework.yaml", "port: 20721", "port: 20722");
    await listenOn(20_722);
    const own = 'case "$*" in *project=crewai*) echo "127.0.0.1:20722->6333/tcp, 6334/tcp";; esac';
    const others = 'case "$*" in *project=dspy*) echo "127.0.0.1:20722->6333/tcp";; esac';
    const refused = await cli(["regenerate"], { cwd: work.cwd, env: engine(work, others) });
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining("a program that listens on this host")]);
    const { code, stderr } = await cli(["regenerate"], { cwd: work.cwd, env: engine(work, own) });
    expect([code, stderr]).toEqual([0, ""]);
    expect(work.read("crewai/.env")).toContain("QDRANT_PORT=20722");
  });

  it("asks no engine in a check", async () => {
    const work = await new Workspace().make("crewai", "qdrant", "--port", "qdrant=20731");
    work.edit("crewai/framework.yaml", "port: 20731", "port: 20732");
    await listenOn(20_732);
    const { code } = await cli(["regenerate", "--check"], { cwd: work.cwd, env: engine(work, "exit 0") });
    expect([code, fs.existsSync(join(work.cwd, "bin/asked"))]).toEqual([5, false]);
  });
});

it("add-service stays beside its neighbours rather than on the preset's own ports", async () => {
  const work = await new Workspace().make("crewai", "qdrant", "--port", "qdrant=6377");
  await work.ok("add-service", "postgres", "crewai");
  expect(work.read("crewai/framework.yaml")).toContain("port: 5476");
});

describe("an .env that remove-framework left", () => {
  it("keeps what the user set in it, and follows the new ports", async () => {
    const work = await new Workspace().make("crewai", "qdrant", "--port", "qdrant=20741");
    work.edit("crewai/.env", "BIND_ADDRESS=127.0.0.1", "BIND_ADDRESS=127.0.0.5");
    work.edit("crewai/.env", "QDRANT_API_KEY=", "MINE=1\nQDRANT_API_KEY=");
    await work.ok("remove-framework", "crewai", "--yes");
    const again = ["new-framework", "crewai", "--yes", "--services", "qdrant", "--port", "qdrant=20742"];
    const printed = await work.ok(...again);
    expect(printed).toContain("crewai: .env keeps its own BIND_ADDRESS");
    const env = work.read("crewai/.env");
    for (const line of ["BIND_ADDRESS=127.0.0.5", "QDRANT_PORT=20742", "QDRANT_URL=http://localhost:20742", "MINE=1"])
      expect(env.split("\n")).toContain(line);
  });
});

describe("reasons", () => {
  it("say why .env is written, and why a file stays", async () => {
    const work = await new Workspace().make("crewai", "postgres");
    work.edit("crewai/.env", /^POSTGRES_PASSWORD=.*$/m, "POSTGRES_PASSWORD=");
    const env = engine(work, "exit 1");
    const { stdout } = await cli(["regenerate"], { cwd: work.cwd, env });
    expect(stdout).toContain("update    .env  (it lacked secrets)");
    // A file of the user's own where the templates want one: a conflict about what was never generated.
    const templates = work.newer({});
    fs.writeFileSync(join(work.cwd, templates, "framework/emit/NOTES.md"), "# Notes\n");
    work.write("crewai/NOTES.md", "mine\n");
    expect((await work.run("regenerate", "--templates", templates)).code).toBe(4);
    const { stdout: removed } = await work.run("remove-framework", "crewai", "--yes", "--json");
    const { actions } = JSON.parse(removed) as { actions: { path: string; action: string; reason: string }[] };
    expect(actions.find(({ path }) => path === "NOTES.md")).toMatchObject({
      action: "keep",
      reason: "yours: it was not generated",
    });
    expect(work.read("crewai/NOTES.md")).toBe("mine\n");
  });
});

describe("CPU limits above the cores of this host", () => {
  it("are capped in .env once, with a note, where nobody set them", async () => {
    const cores = availableParallelism();
    const work = new Workspace();
    const templates = work.newer({
      "services/qdrant/service.yaml": (text) => text.replaceAll(/cpus: ".*"/g, `cpus: "${String(cores + 1)}"`),
    });
    await work.make("crewai", "qdrant", "--templates", templates);
    const line = `QDRANT_CPU_LIMIT=${String(cores)}`;
    expect(work.read("crewai/.env").split("\n")).toContain(line);
    expect(await work.ok("regenerate", "--templates", templates)).toContain("nothing to do");
    work.edit("crewai/.env", line, "QDRANT_CPU_LIMIT=0.5");
    expect(await work.ok("regenerate", "--templates", templates)).toContain("nothing to do");
    work.edit("crewai/.env", "QDRANT_CPU_LIMIT=0.5\n", "");
    expect(await work.ok("regenerate", "--check", "--templates", templates)).toContain("nothing to do");
    const printed = await work.ok("regenerate", "--templates", templates);
    expect(printed).toContain("update    .env  (its CPU limits are capped for this host)");
    expect(printed).toContain(`so .env sets QDRANT_CPU_LIMIT to ${String(cores)}`);
  });
});

describe("a file that everything depends on", () => {
  it("is said to be missing by every command: compose.yaml", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    fs.removeSync(work.path("crewai/compose.yaml"));
    for (const command of [
      ["regenerate"],
      ["regenerate", "--check"],
      ["status"],
      ["ports"],
      ["add-service", "postgres"],
      ["add-service", "postgres"],
      ["remove-service", "postgres"],
      ["remove-service", "postgres"],
      ["new-framework", "dspy", "--yes", "--services", "qdrant"],
      ["remove-framework", "dspy", "--yes"],
    ]) {
      const { code, stdout, stderr } = await work.run(...command);
      expect([command, code]).toEqual([command, command.includes("--check") ? 5 : 0]);
      expect([command, stderr]).toEqual([
        command,
        expect.stringContaining("frameworks/crewai/compose.yaml is missing, so its stack cannot start"),
      ]);
      if (command[0] === "regenerate") expect(stdout).not.toContain("nothing to do");
    }
    fs.removeSync(work.path("crewai/.scaffold/base/compose.yaml.base"));
    expect(await work.ok("regenerate")).not.toContain("missing, so");
    expect(work.has("crewai/compose.yaml")).toBe(true);
  });

  it("is not missed where somebody renamed it", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    fs.moveSync(work.path("crewai/compose.yaml"), work.path("crewai/docker-compose.yml"));
    expect(await work.ok("ports")).not.toContain("is missing");
  });

  it("is said to be missing by every command: framework.yaml", async () => {
    const work = await new Workspace().make("crewai", "qdrant");
    await work.make("dspy", "qdrant");
    fs.removeSync(work.path("crewai/framework.yaml"));
    for (const [command, expected] of [
      [["regenerate"], 2],
      [["status"], 2],
      [["ports"], 2],
      [["add-service", "postgres", "crewai"], 2],
      [["remove-framework", "crewai", "--yes"], 2],
      [["add-service", "postgres", "dspy"], 0],
    ] as const) {
      const { code, stderr } = await work.run(...command);
      expect([command, code, stderr]).toEqual([
        command,
        expected,
        expect.stringContaining("frameworks/crewai/framework.yaml is missing, and everything else is made from it"),
      ]);
      if (expected === 2) expect(stderr).toContain("hint: git restore frameworks/crewai/framework.yaml");
    }
  });
});

it("names in .env that would take the superuser's rights away are refused, with their line", async () => {
  const work = await new Workspace().make("crewai", "langfuse,postgres");
  work.edit("crewai/.env", "LANGFUSE_DB_USER=langfuse", "LANGFUSE_DB_USER=postgres");
  for (const command of [["regenerate"], ["add-service", "qdrant"]]) {
    const { code, stderr } = await work.run(...command);
    expect([command, code, stderr]).toEqual([
      command,
      2,
      expect.stringMatching(/frameworks\/crewai\/\.env:\d+: LANGFUSE_DB_USER: "postgres" is reserved/),
    ]);
  }
});

it("a service of the user's own is told which network it needs now", async () => {
  const work = await new Workspace().make("crewai", "qdrant,postgres");
  // As it was generated when Qdrant was on the internal network.
  for (const file of ["crewai/compose.yaml", "crewai/.scaffold/base/compose.yaml.base"])
    work.edit(file, "      - network\n      - qdrant\n", "      - internal\n      - network\n");
  work.edit("crewai/compose.yaml", "services:\n", "services:\n  app:\n    image: mine\n    networks: [internal]\n");
  const printed = await work.ok("regenerate");
  expect(printed).toContain("app no longer shares a network with qdrant: add qdrant to its networks");
  expect(printed).not.toContain("with postgres");
});

describe("a command that was killed after it was decided, typed again", () => {
  it.each<[string[], string, string]>([
    [
      ["new-framework", "dspy", "--yes", "--services", "qdrant"],
      "Created frameworks/dspy",
      "dspy: made with the answers that were given then",
    ],
    [
      ["remove-framework", "crewai", "--yes"],
      "What stays in frameworks/crewai",
      "crewai: a change that was interrupted has been finished",
    ],
    [["add-service", "qdrant", "crewai"], "has qdrant already", "a change that was interrupted has been finished"],
  ])("%j says that it is done", async (args, said, noted) => {
    const work = await new Workspace().make("crewai", "postgres");
    const copy = tempDir();
    fs.copySync(work.cwd, copy);
    const { calls } = await countWrites(args, copy);
    const decided = calls.findIndex((call) => /rename.*journal\.json/.test(call)) + 1;
    expect(decided).toBeGreaterThan(0);
    await killAt(decided + 1, args, work.cwd);
    ageLocks(work.path("."));
    const { code, stdout, stderr } = await work.run(...args);
    expect([code, stdout, stderr]).toEqual([0, expect.stringContaining(said), expect.stringContaining(noted)]);
    expect(fs.readdirSync(work.path(".")).filter((name) => name.startsWith("."))).toEqual([]);
  });
});
