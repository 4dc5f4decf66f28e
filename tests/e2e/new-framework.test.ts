import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { dotenvValues } from "../../src/env/dotenv.ts";
import { cli, run, snapshot, withoutSecrets } from "../helpers/cli.ts";
import { document } from "../helpers/schemas.ts";
import { tempDir } from "../helpers/temp.ts";
import { needTablePorts } from "../helpers/table-ports.ts";

await needTablePorts();

const CRAWLER = `name: crawler
description: "Crawls & reads: {{x}} $HOME"
services: { qdrant: { port: 7000 }, postgres: }
profile: medium
images: latest
langfuse: { mode: external, host: "https://langfuse.example" }
`;

describe("new-framework", () => {
  it("makes a complete directory and says what to do next", async () => {
    const cwd = tempDir();
    const { code, stdout, stderr } = await cli(["new-framework", "crewai", "--yes"], { cwd });
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("error")]);
    expect(stdout).toContain("Created frameworks/crewai (43 files)");
    expect(stdout).toContain("http://localhost:6333/dashboard");
    expect(stdout).toContain("docker compose up -d --wait");
    expect(Object.keys(snapshot(join(cwd, "frameworks"), /\.scaffold/)).toSorted()).toEqual([
      "PORT_ALLOCATION.md",
      "crewai/.env",
      "crewai/.env.template",
      "crewai/.gitattributes",
      "crewai/.gitignore",
      "crewai/DISASTER_RECOVERY.md",
      "crewai/README.md",
      "crewai/compose.yaml",
      "crewai/config/clickhouse/system-logs.xml",
      "crewai/config/json_logging.py",
      "crewai/config/langfuse/create-bucket.sh",
      "crewai/config/langfuse/create-database.sh",
      "crewai/config/logging.yaml",
      "crewai/config/postgres/initdb/10-application.sh",
      "crewai/config/redaction.py",
      "crewai/examples/connect.py",
      "crewai/framework.yaml",
      "crewai/hooks/copy.example",
      "crewai/hooks/failed.example",
      "crewai/hooks/fetch.example",
      "crewai/schedule/backup.service",
      "crewai/schedule/backup.timer",
      "crewai/schedule/drill.service",
      "crewai/schedule/drill.timer",
      "crewai/schedule/install.sh",
      "crewai/scripts/backup-status.sh",
      "crewai/scripts/backup.sh",
      "crewai/scripts/lib/common.sh",
      "crewai/scripts/lib/engine.sh",
      "crewai/scripts/lib/report.sh",
      "crewai/scripts/lib/restic.sh",
      "crewai/scripts/lib/restore.sh",
      "crewai/scripts/lib/save.sh",
      "crewai/scripts/lib/second.sh",
      "crewai/scripts/lib/sets.sh",
      "crewai/scripts/lib/stack.sh",
      "crewai/scripts/list-backups.sh",
      "crewai/scripts/recovery-kit.sh",
      "crewai/scripts/restore.sh",
      "crewai/scripts/services/clickhouse.sh",
      "crewai/scripts/services/langfuse.sh",
      "crewai/scripts/services/postgres.sh",
      "crewai/scripts/services/qdrant.sh",
      "crewai/scripts/verify-backup.sh",
    ]);
  });

  it("makes secrets: hex of 32 bytes, each its own, private, never printed", async () => {
    const cwd = tempDir();
    const outcomes = [
      await cli(["new-framework", "crewai", "--yes"], { cwd }),
      await cli(["new-framework", "dspy", "--yes", "--json"], { cwd }),
    ];
    const secrets: string[] = [];
    for (const name of ["crewai", "dspy"]) {
      const file = join(cwd, "frameworks", name, ".env");
      expect(fs.statSync(file).mode & 0o777).toBe(0o600);
      const env = dotenvValues(fs.readFileSync(file, "utf8"));
      for (const [variable, value] of env) {
        if (
          /^https?:|^postgresql:/.test(value) ||
          !/(?:PASSWORD|SECRET|SALT|ENCRYPTION_KEY|PUBLIC_KEY|QDRANT_.*API_KEY|ACCESS_KEY|SECRET_KEY)$/.test(variable)
        )
          continue;
        expect(value, variable).toMatch(/^(?:[ps]k-lf-)?[0-9a-f]{64}$/);
        secrets.push(value);
      }
      expect(env.get("DATABASE_URL")).toContain(`:${env.get("APP_DB_PASSWORD") ?? "?"}@localhost:`);
    }
    expect(secrets).toHaveLength(30);
    expect(new Set(secrets).size).toBe(30);
    const printed = outcomes.map(({ stdout, stderr }) => stdout + stderr).join("");
    const committed = Object.entries(snapshot(join(cwd, "frameworks"))).filter(([path]) => !path.endsWith("/.env"));
    for (const secret of secrets) {
      expect(printed).not.toContain(secret);
      for (const [path, text] of committed) expect(text.includes(secret), path).toBe(false);
    }
  });

  it("gives the same bytes by flags, answers file, standard input and Plop, secrets aside", async () => {
    const made: Record<string, string>[] = [];
    const make = async (work: (cwd: string) => Promise<{ code: number | null; stderr: string }>): Promise<void> => {
      const cwd = tempDir();
      const { code, stderr } = await work(cwd);
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      made.push(withoutSecrets(snapshot(join(cwd, "frameworks"))));
    };
    const flags = [
      "--description",
      "Crawls & reads: {{x}} $HOME",
      "--services",
      "qdrant,postgres",
      "--port",
      "qdrant=7000",
      "--profile",
      "medium",
      "--images",
      "latest",
      "--langfuse",
      "external",
      "--langfuse-host",
      "https://langfuse.example",
    ];
    await make((cwd) => cli(["new-framework", "crawler", "--yes", ...flags], { cwd }));
    await make((cwd) => {
      fs.writeFileSync(join(cwd, "answers.yaml"), CRAWLER);
      return cli(["new-framework", "--answers", "answers.yaml"], { cwd });
    });
    await make((cwd) => cli(["new-framework", "--answers", "-"], { cwd, input: CRAWLER }));
    await make((cwd) =>
      run("npx", ["plop", "new-framework", "crawler", "--", "--yes", "--root", join(cwd, "frameworks"), ...flags]),
    );
    // The framework.yaml that came out is itself an answers file.
    await make((cwd) =>
      cli(["new-framework", "--answers", "-"], { cwd, input: made[0]?.["crawler/framework.yaml"] ?? "" }),
    );
    expect(Object.keys(made[0] ?? {})).toHaveLength(76);
    for (const each of made.slice(1)) expect(each).toEqual(made[0]);
  });

  it("through Plop shows help and version in place of doing anything", async () => {
    const cwd = tempDir();
    const own = ["--root", join(cwd, "frameworks"), "--yes"];
    const help = await run("npx", ["plop", "new-framework", "crewai", "--", ...own, "--help"]);
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining("--langfuse-host")]);
    const version = await run("npx", ["plop", "new-framework", "crewai", "--", ...own, "--version"]);
    expect([version.code, version.stdout]).toEqual([0, expect.stringMatching(/\d+\.\d+\.\d+/)]);
    expect(fs.readdirSync(cwd)).toEqual([]);
  });

  it("lets a flag win over the answers file", async () => {
    const cwd = tempDir();
    await cli(["new-framework", "--answers", "-", "--profile", "large", "--port", "qdrant=7001"], {
      cwd,
      input: CRAWLER,
    });
    const spec = fs.readFileSync(join(cwd, "frameworks/crawler/framework.yaml"), "utf8");
    expect(spec).toMatch(/profile: large[\s\S]*port: 7001/);
  });

  it("gives the five presets the ports of the table, whatever the order", async () => {
    const cwd = tempDir();
    for (const name of ["pydantic-ai", "crewai", "google-adk", "dspy", "pocketflow", "another", "and-another"]) {
      expect((await cli(["new-framework", name, "--yes", "--services", "qdrant,postgres"], { cwd })).code).toBe(0);
    }
    const ports = (name: string): string =>
      (
        fs.readFileSync(join(cwd, "frameworks", name, ".env"), "utf8").match(/^(?:QDRANT|POSTGRES)_PORT=.*/gm) ?? []
      ).join(" ");
    expect(["crewai", "dspy", "pocketflow", "google-adk", "pydantic-ai", "another", "and-another"].map(ports)).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((slot) => `POSTGRES_PORT=${String(5432 + slot)} QDRANT_PORT=${String(6333 + slot)}`),
    );
  });

  it("uses the only sibling's Langfuse when none is named", async () => {
    const cwd = tempDir();
    await cli(["new-framework", "crewai", "--yes"], { cwd });
    const { stderr } = await cli(["new-framework", "dspy", "--yes", "--langfuse", "external"], { cwd });
    expect(stderr).toContain("Langfuse: the one of crewai is used, http://localhost:3000");
    expect(fs.readFileSync(join(cwd, "frameworks/dspy/.env"), "utf8")).toContain(
      "LANGFUSE_HOST=http://localhost:3000\nLANGFUSE_BASE_URL=http://localhost:3000\nLANGFUSE_PUBLIC_KEY=\n",
    );
  });

  it("shows with --dry-run and --diff what it would do, and writes nothing, not even the root", async () => {
    const cwd = tempDir();
    const dry = await cli(["new-framework", "crewai", "--yes", "--dry-run"], { cwd });
    const diff = await cli(["new-framework", "crewai", "--yes", "--dry-run", "--diff"], { cwd });
    const json = await cli(["new-framework", "crewai", "--yes", "--dry-run", "--json"], { cwd });
    expect(fs.readdirSync(cwd)).toEqual([]);
    expect(dry.stdout).toMatch(/create {4}compose\.yaml[\s\S]*Nothing was written/);
    expect(diff.stdout).toContain("+++ b/crewai/compose.yaml");
    expect(diff.stdout).toContain("+QDRANT_API_KEY=[redacted]");
    expect(diff.stdout).not.toMatch(/[0-9a-f]{64}/);
    const plan = document(json.stdout, "plan");
    expect(plan).toMatchObject({ schemaVersion: 1, framework: "crewai" });
  });

  it("plans what it then writes, to the byte", async () => {
    const cwd = tempDir();
    const { stdout } = await cli(["new-framework", "crewai", "--yes", "--json"], { cwd });
    const { createHash } = await import("node:crypto");
    const { actions } = document(stdout, "plan") as { actions: { path: string; action: string; after: string }[] };
    expect(actions).toHaveLength(43);
    for (const { path, after } of actions) {
      const bytes = fs.readFileSync(join(cwd, "frameworks/crewai", path));
      expect(createHash("sha256").update(bytes).digest("hex"), path).toBe(after);
    }
  });

  it("takes an edited template without a build, and another templates folder", async () => {
    const cwd = tempDir();
    const { TEMPLATES } = await import("../helpers/project.ts");
    fs.copySync(TEMPLATES, join(cwd, "mine"));
    const readme = join(cwd, "mine/framework/emit/README.md.hbs");
    fs.writeFileSync(readme, `House rules of {{name}}.\n\n${fs.readFileSync(readme, "utf8")}`);
    fs.writeFileSync(
      join(cwd, "mine/presets/smolagents.yaml"),
      "schemaVersion: 1\nid: smolagents\ntitle: smolagents\nsummary: Small agents\n",
    );
    const { code, stderr } = await cli(["new-framework", "smolagents", "--yes", "--templates", "mine"], { cwd });
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(fs.readFileSync(join(cwd, "frameworks/smolagents/README.md"), "utf8")).toMatch(
      /^House rules of smolagents\./,
    );
    expect(fs.readFileSync(join(cwd, "frameworks/smolagents/framework.yaml"), "utf8")).toContain("preset: smolagents");
  });
});

describe("templates of one's own that are wrong", () => {
  it.each<[string, string, (text: string) => string, string]>([
    [
      "a fragment with wrong indentation",
      "services/qdrant/compose.yaml.hbs",
      (text) => text.replace("  qdrant:", " qdrant:"),
      "would not be valid YAML",
    ],
    [
      "a service that no manifest has",
      "services/qdrant/compose.yaml.hbs",
      (text) => text.replace("  qdrant:", "  vectors:"),
      "services.vectors: is made by a template",
    ],
    [
      "a volume that nobody declares",
      "services/qdrant/compose.yaml.hbs",
      (text) => text.replace("qdrant_data:", "data:"),
      '"data" is not among the volumes',
    ],
    [
      "a name that does not exist",
      "services/qdrant/compose.yaml.hbs",
      (text) => text.replace("service.title", "service.titel"),
      "template services/qdrant/compose.yaml.hbs: ",
    ],
    [
      "a block that is not closed",
      "services/qdrant/parts/readme.hbs",
      () => "{{#if latest}}",
      "template services/qdrant/parts/readme.hbs: ",
    ],
    [
      "a partial that does not exist",
      "services/qdrant/parts/readme.hbs",
      () => "{{> nope}}",
      "template services/qdrant/parts/readme.hbs: ",
    ],
  ])("%s: exit 2, nothing written", async (_, file, change, message) => {
    const cwd = tempDir();
    const { TEMPLATES } = await import("../helpers/project.ts");
    fs.copySync(TEMPLATES, join(cwd, "mine"));
    const path = join(cwd, "mine", file);
    fs.outputFileSync(path, change(fs.existsSync(path) ? fs.readFileSync(path, "utf8") : ""));
    const { code, stderr } = await cli(
      ["new-framework", "crewai", "--yes", "--services", "qdrant,postgres", "--templates", "mine"],
      { cwd },
    );
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).not.toMatch(/defect|^ {4}at /m);
    expect(fs.existsSync(join(cwd, "frameworks"))).toBe(false);
  });
});

describe("through npm", () => {
  it("runs as the README says", async () => {
    const cwd = tempDir();
    const { code, stdout } = await run("npm", [
      "run",
      "new-framework",
      "--",
      "crewai",
      "--yes",
      "--root",
      join(cwd, "r"),
    ]);
    expect([code, fs.existsSync(join(cwd, "r/crewai/compose.yaml"))]).toEqual([0, true]);
    expect(stdout).toContain("Created");
  });

  it("explains that npm kept a flag for itself", async () => {
    const { code, stderr } = await run("npm", ["run", "new-framework", "crewai", "--dry-run"]);
    expect(code).toBe(2);
    expect(stderr).toContain("npm kept --dry-run for itself");
    expect(stderr).toContain("npm run new-framework -- ");
  });
});

it("explains that npm kept even --yes, which is a setting of its own", async () => {
  const { code, stderr } = await run("npm", ["run", "new-framework", "crewai", "--yes"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("npm kept --yes for itself")]);
});

it("keeps in git all that the next update needs, and nothing that is private", async () => {
  const cwd = tempDir();
  await cli(["new-framework", "crewai", "--yes"], { cwd });
  await run("git", ["init", "-q", cwd]);
  fs.outputFileSync(join(cwd, "frameworks/crewai/backups/app.dump"), "x");
  fs.outputFileSync(join(cwd, "frameworks/crewai/.scaffold/history/0"), "x");
  await run("git", ["-C", cwd, "add", "-A"]);
  const { stdout } = await run("git", ["-C", cwd, "ls-files", "frameworks"]);
  const committed = new Set(
    stdout
      .trim()
      .split("\n")
      .map((path) => path.replace("frameworks/", "")),
  );
  const present = Object.keys(snapshot(join(cwd, "frameworks")));
  expect(present.filter((path) => !committed.has(path)).toSorted()).toEqual([
    "crewai/.env",
    "crewai/.scaffold/history/0",
    "crewai/backups/app.dump",
  ]);
});

describe("help", () => {
  it.each([
    [["--help"]],
    [["help"]],
    [["new-framework", "--help"]],
    [["ports", "--help"]],
    [["ports", "-h"]],
    [["status", "--help"]],
  ])("%j", async (args) => {
    const { code, stdout, stderr } = await cli(args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Usage: npm run/);
  });

  it("gives examples for each command, and every flag that it takes", async () => {
    const shown = {
      "new-framework": ["name", "services", "port", "langfuse", "langfuse-host", "answers", "yes", "dry-run", "diff"],
      "add-service": ["port", "yes", "dry-run", "diff"],
      "remove-service": ["yes", "dry-run", "diff"],
      regenerate: ["ours", "theirs", "check", "yes", "dry-run", "diff"],
      "remove-framework": ["purge-secrets", "yes", "dry-run"],
      ports: ["check", "fix", "dry-run"],
      status: ["check"],
    };
    for (const [command, flags] of Object.entries(shown)) {
      const { stdout } = await cli([command, "--help"]);
      expect(stdout).toContain("Examples:");
      for (const flag of [...flags, "root", "json", "templates", "help", "version"])
        expect(stdout).toMatch(new RegExp(`^  (?:-\\w, )?--${flag}\\b`, "m"));
    }
  });

  it("says its version", async () => {
    const { version } = fs.readJsonSync("package.json") as { version: string };
    expect((await cli(["--version"])).stdout).toBe(`${version}\n`);
    expect((await cli(["ports", "--version"])).stdout).toBe(`${version}\n`);
  });
});
