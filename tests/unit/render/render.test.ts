import { describe, expect, it, vi } from "vitest";
import { parse } from "yaml";

import { secretsOf, envSections } from "../../../src/env/variables.ts";
import { isContained, MODE, TreeBuilder } from "../../../src/render/tree.ts";
import { dotenvValues } from "../../../src/env/dotenv.ts";
import { builtIn, plainSecrets, specOf, treeOf } from "../../helpers/catalogue.ts";

const text = async (draft: Parameters<typeof treeOf>[0], path: string): Promise<string> => {
  const file = (await treeOf(draft)).get(path);
  if (file === undefined) throw new Error(`${path} is not there`);
  return file.content;
};

describe("render", () => {
  it("gives the same bytes whatever the clock, the locale and the randomness", async () => {
    const first = await treeOf({ name: "crewai" });
    vi.useFakeTimers({ now: 0 });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    vi.stubEnv("LANG", "tr_TR.UTF-8");
    vi.stubEnv("TZ", "Pacific/Kiritimati");
    const second = await treeOf({ name: "crewai" });
    vi.useRealTimers();
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    expect(second).toEqual(first);
  });

  it("emits what the design lists", async () => {
    expect([...(await treeOf({ name: "crewai" })).keys()]).toEqual([
      ".env",
      ".env.template",
      ".gitattributes",
      ".gitignore",
      "DISASTER_RECOVERY.md",
      "README.md",
      "compose.yaml",
      "config/clickhouse/system-logs.xml",
      "config/json_logging.py",
      "config/langfuse/create-bucket.sh",
      "config/langfuse/create-database.sh",
      "config/logging.yaml",
      "config/postgres/initdb/10-application.sh",
      "config/redaction.py",
      "examples/connect.py",
      "framework.yaml",
      "hooks/copy.example",
      "hooks/failed.example",
      "hooks/fetch.example",
      "schedule/backup.service",
      "schedule/backup.timer",
      "schedule/drill.service",
      "schedule/drill.timer",
      "schedule/install.sh",
      "scripts/backup-status.sh",
      "scripts/backup.sh",
      "scripts/lib/common.sh",
      "scripts/lib/engine.sh",
      "scripts/lib/report.sh",
      "scripts/lib/restic.sh",
      "scripts/lib/restore.sh",
      "scripts/lib/save.sh",
      "scripts/lib/second.sh",
      "scripts/lib/sets.sh",
      "scripts/lib/stack.sh",
      "scripts/list-backups.sh",
      "scripts/recovery-kit.sh",
      "scripts/restore.sh",
      "scripts/services/clickhouse.sh",
      "scripts/services/langfuse.sh",
      "scripts/services/postgres.sh",
      "scripts/services/qdrant.sh",
      "scripts/verify-backup.sh",
    ]);
  });

  it("makes .env private and scripts executable", async () => {
    const tree = await treeOf({ name: "crewai" });
    expect(tree.get(".env")?.mode).toBe(0o600);
    expect(tree.get("config/langfuse/create-bucket.sh")?.mode).toBe(0o755);
    expect(tree.get("compose.yaml")?.mode).toBe(0o644);
  });

  it("writes secrets into .env and nowhere else", async () => {
    const catalogue = await builtIn();
    const spec = await specOf({ name: "crewai" });
    const secrets = plainSecrets(spec, catalogue);
    expect(secrets.size).toBeGreaterThan(10);
    const tree = await treeOf({ name: "crewai" });
    for (const [path, file] of tree) {
      for (const [name, value] of secrets) {
        if (path === ".env") expect(file.content).toContain(`${name}=${value}\n`);
        else expect(file.content).not.toContain(value);
      }
    }
  });

  it("explains in .env.template every variable that compose.yaml and .env use", async () => {
    for (const draft of [
      { name: "crewai" },
      { name: "x", external: { langfuse: { mode: "external" as const } } },
      { name: "x", services: ["qdrant"] },
    ]) {
      const tree = await treeOf(draft);
      const template = tree.get(".env.template")?.content ?? "";
      const explained = new Set([...template.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1]));
      const used = [...(tree.get("compose.yaml")?.content ?? "").matchAll(/\$\{([A-Z][A-Z0-9_]*)/g)].map(
        (match) => match[1],
      );
      const set = dotenvValues(tree.get(".env")?.content ?? "").keys();
      expect([...used, ...set].filter((name) => !explained.has(name))).toEqual([]);
    }
  });

  it("repeats the defaults of compose.yaml in .env.template, commented out", async () => {
    const tree = await treeOf({ name: "crewai" });
    const template = tree.get(".env.template")?.content ?? "";
    const compose = tree.get("compose.yaml")?.content ?? "";
    for (const [, name = "", value = ""] of compose.matchAll(/\$\{([A-Z_]+_(?:LIMIT|IMAGE)):-([^}]*)\}/g)) {
      expect(template).toContain(`# ${name}=${value}\n`);
    }
    expect(dotenvValues(tree.get(".env")?.content ?? "").has("QDRANT_IMAGE")).toBe(false);
  });

  it("puts OpenRouter first among the API keys", async () => {
    const keys = [...(await text({ name: "crewai" }, ".env.template")).matchAll(/^([A-Z_]+_API_KEY)=/gm)].map(
      (match) => match[1],
    );
    expect(keys[0]).toBe("OPENROUTER_API_KEY");
  });

  it("keeps values that people type, whatever they hold", async () => {
    const description = "{{x}} $HOME `ls` ' \" \\ # : - <b> | é 日本 🚀 {{/each}}";
    const tree = await treeOf({ name: "x", description });
    expect(parse(tree.get("framework.yaml")?.content ?? "")).toMatchObject({ description });
    expect(tree.get("README.md")?.content).toContain("{{x}} \\$HOME \\`ls\\`");
    expect(tree.get("compose.yaml")?.content).not.toContain("HOME");
  });

  it("emits YAML without anchors", async () => {
    const tree = await treeOf({ name: "crewai" });
    for (const [path, file] of tree) if (path.endsWith(".yaml")) expect(file.content).not.toMatch(/[:-] [&*][a-z]/);
  });

  it("relaxes with images: latest only what needs another tag, and says so", async () => {
    const pinned = await text({ name: "x", services: ["qdrant"] }, "compose.yaml");
    const latest = await text({ name: "x", services: ["qdrant"], images: "latest" }, "compose.yaml");
    expect(pinned).toContain('user: "1000:1000"');
    expect(latest).toContain("qdrant/qdrant:latest");
    expect(latest).toContain("Relaxed with `images: latest`");
    for (const kept of ["cap_drop:", "read_only: true", "no-new-privileges:true", "pids:"])
      expect(latest).toContain(kept);
  });

  it("ends every file with one line feed and has no blank at a line's end", async () => {
    for (const [path, file] of await treeOf({ name: "crewai" })) {
      expect(file.content.endsWith("\n") && !file.content.endsWith("\n\n"), path).toBe(true);
      expect(file.content.match(/[ \t]+$/m), path).toBeNull();
      expect(file.content.includes("\r"), path).toBe(false);
    }
  });
});

it("gives each role and connection string of the contract", async () => {
  const env = dotenvValues(await text({ name: "google-adk" }, ".env"));
  expect(env.get("FRAMEWORK_NAME")).toBe("google_adk");
  expect(env.get("APP_DB_NAME")).toBe("google_adk");
  expect(env.get("DATABASE_URL")).toBe("postgresql://google_adk:app_db_password@localhost:5435/google_adk");
  expect(env.get("QDRANT_URL")).toBe("http://localhost:6336");
  expect(env.get("LANGFUSE_HOST")).toBe("http://localhost:3003");
  // The JavaScript SDKs read this one alone, and fall back to the cloud.
  expect(env.get("LANGFUSE_BASE_URL")).toBe("http://localhost:3003");
});

it("needs for a secret a rotation that the README tells", async () => {
  const catalogue = await builtIn();
  const spec = await specOf({ name: "crewai" });
  const readme = await text({ name: "crewai" }, "README.md");
  for (const secret of secretsOf(envSections(spec, catalogue))) expect(readme).toContain(`| \`${secret.name}\` |`);
});

describe("paths of a tree", () => {
  it.each(["", "/a", "../a", "a/../b", "a//b", "a/./b", "a\\b", "a\0b", "."])("refuses %j", (path) => {
    expect(isContained(path)).toBe(false);
  });

  it.each([
    ["a", "templates/two: makes a, and so does one"],
    ["../b", "templates/two: makes ../b, which is outside the directory"],
    [".scaffold/state.json", "which is a name that this program uses itself"],
    ["README.md.incoming", "which is a name that this program uses itself"],
  ])("refuses a template that makes %j", (path, message) => {
    const tree = new TreeBuilder();
    tree.add("a", "1", MODE.file, "one");
    expect(() => {
      tree.add(path, "2", MODE.file, "two");
    }).toThrow(message);
  });
});
