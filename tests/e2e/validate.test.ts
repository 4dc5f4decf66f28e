import fs from "fs-extra";
import { join } from "node:path";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";

import { cli, LAUNCHER, make, run, snapshot, start } from "../helpers/cli.ts";
import { document } from "../helpers/schemas.ts";
import { tempDir } from "../helpers/temp.ts";

interface Finding {
  rule: string;
  severity: string;
  outcome: string;
  service: string | null;
  file: string | null;
  line: number | null;
  message: string;
}
interface Document {
  frameworks: { name: string; findings: Finding[]; probes: unknown[] }[];
  summary: { pass: number; fail: number; unknown: number; waived: number };
}

async function validate(cwd: string, ...args: string[]): Promise<{ code: number | null; found: Document }> {
  const { code, stdout } = await cli(["validate", "--json", ...args], { cwd });
  return { code, found: document(stdout, "validate") as unknown as Document };
}

const failing = ({ frameworks }: Document): string[] =>
  frameworks.flatMap(({ name, findings }) =>
    findings
      .filter(({ outcome }) => outcome !== "waived")
      .map(({ rule, service }) => `${name} ${service ?? ""} ${rule}`),
  );

function edit(file: string, change: (text: string) => string): void {
  const text = fs.readFileSync(file, "utf8");
  const edited = change(text);
  if (edited === text) throw new Error(`${file}: the edit changes nothing`);
  fs.writeFileSync(file, edited);
}

/** A URL where nothing listens. */
async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${String(port)}/`;
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error("it did not become so in 30 seconds");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A file may have this name; the one that is written first and then renamed may not. */
const UNWRITABLE = `${"w".repeat(251)}.md`;

describe("validate", () => {
  it("finds nothing in what was just made, and writes nothing", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "dspy");
    const before = snapshot(cwd);
    const { code, found } = await validate(cwd);
    expect([code, failing(found)]).toEqual([0, []]);
    expect(found.summary.pass).toBeGreaterThan(100);
    const { stdout } = await cli(["validate"], { cwd });
    expect(stdout).toMatch(/^crewai: nothing found\ndspy: nothing found\n\d+ passed, 0 failed\n$/);
    expect(snapshot(cwd)).toEqual(before);
  });

  it("finds nothing in a whole stack but what the catalogue waives", async () => {
    const cwd = tempDir();
    await cli(["new-framework", "crewai", "--yes"], { cwd });
    const { code, found } = await validate(cwd);
    expect([code, failing(found), found.summary.waived]).toEqual([0, [], 4]);
  });

  it("judges what was edited, where Compose would read it, and names the line", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const dir = join(cwd, "frameworks/crewai");
    edit(join(dir, "compose.yaml"), (text) => text.replace("\n    cap_drop:\n      - ALL", "\n    privileged: true"));
    // Compose takes it by itself.
    fs.writeFileSync(
      join(dir, "compose.override.yaml"),
      "services:\n  postgres:\n    ports:\n      - 0.0.0.0:7777:5432\n  mine:\n    image: mine\n    user: root\n",
    );
    const { code, found } = await validate(cwd, "crewai");
    expect(code).toBe(6);
    expect(failing(found)).toEqual(
      expect.arrayContaining([
        "crewai postgres no-privileges",
        "crewai postgres no-capabilities",
        "crewai postgres loopback",
        "crewai mine non-root",
        "crewai mine limits",
        "crewai mine pinned-image",
      ]),
    );
    const findings = found.frameworks[0]?.findings ?? [];
    expect(findings.find(({ rule }) => rule === "loopback")).toMatchObject({
      file: "frameworks/crewai/compose.override.yaml",
      line: 3,
    });
    const privileged = fs.readFileSync(join(dir, "compose.yaml"), "utf8").split("\n").indexOf("    privileged: true");
    expect(findings.find(({ rule }) => rule === "no-privileges")).toMatchObject({
      file: "frameworks/crewai/compose.yaml",
      line: privileged + 1,
    });
  });

  it("reads the files that COMPOSE_FILE names instead, and says which it cannot read", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const dir = join(cwd, "frameworks/crewai");
    fs.writeFileSync(join(dir, "compose.override.yaml"), "services: {postgres: {privileged: true}}\n");
    fs.appendFileSync(join(dir, ".env"), "COMPOSE_FILE=compose.yaml:gone.yaml\n");
    const { code, found } = await validate(cwd);
    expect([code, failing(found)]).toEqual([6, ["crewai  compose-readable"]]);
  });

  it("goes by --fail-on and --allow-unknown", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const dir = join(cwd, "frameworks/crewai");
    edit(join(dir, "compose.yaml"), (text) => text.replace("restart: unless-stopped", "restart: always"));
    expect((await validate(cwd)).code).toBe(0);
    expect((await validate(cwd, "--fail-on", "warning")).code).toBe(6);
    fs.removeSync(join(dir, ".env"));
    expect((await validate(cwd)).code).toBe(6);
    const { code, found } = await validate(cwd, "--allow-unknown");
    expect([code, found.summary.unknown]).toEqual([0, 1]);
    const { code: wrong, stderr } = await cli(["validate", "--fail-on", "fatal"], { cwd });
    expect([wrong, stderr]).toEqual([2, expect.stringContaining("error, warning or info")]);
  });

  it("finds secrets that are published, placeholders, a mode, and an .env in git; and prints none of them", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const env = join(cwd, "frameworks/crewai/.env");
    edit(env, (text) => text.replace(/^POSTGRES_PASSWORD=.*$/m, "POSTGRES_PASSWORD=mysecretpassword"));
    edit(env, (text) => text.replace(/^QDRANT_API_KEY=.*$/m, "QDRANT_API_KEY=qdrant"));
    edit(env, (text) => text.replace(/^OPENROUTER_API_KEY=.*$/m, "OPENROUTER_API_KEY=your-key"));
    edit(env, (text) => text.replace(/^QDRANT_PORT=.*$/m, "QDRANT_PORT=64x"));
    fs.chmodSync(env, 0o644);
    await run("git", ["init", "-q"], { cwd });
    await run("git", ["add", "-f", "frameworks/crewai/.env"], { cwd });
    const { code, stdout, stderr } = await cli(["validate", "--json"], { cwd });
    expect(code).toBe(6);
    expect(failing(document(stdout, "validate") as unknown as Document)).toEqual([
      "crewai  env-strong-secrets",
      "crewai  env-strong-secrets",
      "crewai  env-no-placeholder",
      "crewai  env-form",
      "crewai  env-private",
      "crewai  env-not-in-git",
    ]);
    expect(stdout + stderr).not.toMatch(/mysecretpassword|your-key/);
  });

  it("finds an .env in a repository of the framework's own, whatever a hook of another one says", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const dir = join(cwd, "frameworks/crewai");
    await run("git", ["init", "-q"], { cwd: dir });
    await run("git", ["add", "-f", ".env"], { cwd: dir });
    const { code, stdout } = await cli(["validate", "--json"], { cwd, env: { GIT_DIR: "/nowhere/.git" } });
    expect([code, failing(document(stdout, "validate") as unknown as Document)]).toEqual([
      6,
      ["crewai  env-not-in-git"],
    ]);
  });

  it("names ports and names that two stacks share", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "dspy");
    const port = /^QDRANT_PORT=(.*)$/m.exec(fs.readFileSync(join(cwd, "frameworks/crewai/.env"), "utf8"))?.[1] ?? "";
    const env = join(cwd, "frameworks/dspy/.env");
    edit(env, (text) => text.replace(/^QDRANT_PORT=.*$/m, `QDRANT_PORT=${port}`));
    edit(env, (text) => text.replace(/^FRAMEWORK_NAME=.*$/m, "FRAMEWORK_NAME=crewai"));
    const { code, found } = await validate(cwd);
    expect([code, failing(found)]).toEqual([
      6,
      ["crewai  own-ports", "crewai  own-name", "dspy  own-ports", "dspy  own-name"],
    ]);
  });

  it("takes waivers from framework.yaml, until they expire", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const dir = join(cwd, "frameworks/crewai");
    edit(join(dir, "compose.yaml"), (text) =>
      text.replace("restart: unless-stopped", "restart: unless-stopped\n    privileged: true"),
    );
    const waive = (more: string): void => {
      edit(join(dir, "framework.yaml"), (text) =>
        text
          .replace(/^waivers:[\s\S]*?(?=^\w|(?![\s\S]))/m, "")
          .concat(`waivers:\n  - {rule: no-privileges, service: postgres, reason: "a test"${more}}\n`),
      );
    };
    waive("");
    const { code, found } = await validate(cwd, "--fail-on", "info");
    expect([code, failing(found), found.summary.waived]).toEqual([0, [], 1]);
    waive(', expires: "2020-01-01"');
    expect(failing((await validate(cwd)).found)).toEqual(["crewai postgres no-privileges", "crewai  waivers-valid"]);
    waive(", expires: soon");
    const broken = await validate(cwd);
    expect([broken.code, failing(broken.found)]).toEqual([6, ["crewai  spec-valid"]]);
  });

  it("waives what is found today, in framework.yaml, and no more", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "dspy");
    const dir = join(cwd, "frameworks/crewai");
    const edited = (key: string): void => {
      edit(join(dir, "compose.yaml"), (text) =>
        text.replace("    restart: unless-stopped", `    ${key}\n    restart: unless-stopped`),
      );
    };
    edited("privileged: true");
    edit(join(dir, "framework.yaml"), (text) => text.replace("description:", "# mine\ndescription:"));
    const { code, stdout } = await cli(["validate", "--init-waivers"], { cwd });
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^frameworks\/crewai\/framework.yaml: waived no-privileges\nEach waiver needs/),
    ]);
    expect(fs.readFileSync(join(dir, "framework.yaml"), "utf8")).toContain("# mine");
    expect(failing((await validate(cwd)).found)).toEqual([]);
    edited("cap_add: [SYS_ADMIN]");
    expect(failing((await validate(cwd)).found)).toEqual(["crewai postgres no-dangerous-capabilities"]);
    expect((await cli(["status", "--check"], { cwd })).code).toBe(0);
    edit(join(cwd, "frameworks/dspy/.env"), (text) => text.replace(/^QDRANT_API_KEY=.*$/m, "QDRANT_API_KEY=short"));
    const rest = await cli(["validate", "--init-waivers", "dspy"], { cwd });
    expect(rest.stdout).toMatch(/^frameworks\/dspy: not waived, .*: env-strong-secrets\nNothing to waive\.\n$/);
    expect((await cli(["validate", "--init-waivers", "--json"], { cwd })).code).toBe(2);
    const lines = fs.readFileSync(join(dir, "framework.yaml"), "utf8").split("\n");
    edit(join(dir, "framework.yaml"), (text) => text.replace("rule: no-privileges", "rule: no-such-rule"));
    const [first] =
      (await validate(cwd, "crewai")).found.frameworks[0]?.findings.filter((each) => each.rule === "waivers-valid") ??
      [];
    expect(first?.line).toBe(lines.findIndex((line) => line.includes("rule: no-privileges")) + 1);
  });

  it.each([
    ["as it is generated", (text: string) => text],
    ["without the key", (text: string) => text.replace(/^waivers: \[\]\n/m, "")],
    [
      "with one already",
      (text: string) =>
        text.replace("waivers: []", 'waivers: [{rule: restart, service: "app", reason: "a batch job" }] # ours'),
    ],
  ])("waives the many findings of a service of one's own, into a file %s", async (_, change) => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const spec = join(cwd, "frameworks/crewai/framework.yaml");
    fs.writeFileSync(join(cwd, "frameworks/crewai/compose.override.yaml"), "services:\n  app:\n    image: python:3\n");
    edit(spec, (text) => change(text).replace("description:", "# mine\ndescription:"));
    const comments = (): string[] => fs.readFileSync(spec, "utf8").match(/#.*/g) ?? [];
    const before = comments();
    const { code, stderr } = await cli(["validate", "--init-waivers"], { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(comments()).toEqual(before);
    const { found } = await validate(cwd);
    expect(failing(found)).toEqual([]);
    expect(found.summary.waived).toBeGreaterThan(4);
  });

  it("judges every directory, although one cannot be read", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "dspy");
    fs.writeFileSync(join(cwd, "frameworks/crewai/framework.yaml"), "name: [\n");
    const { code, found } = await validate(cwd);
    expect([code, failing(found)]).toEqual([6, ["crewai  spec-valid"]]);
    expect(found.frameworks.map(({ name }) => name)).toEqual(["crewai", "dspy"]);
    expect((await cli(["validate", "nowhere"], { cwd })).code).toBe(2);
  });

  it("asks an engine only with --live, and says what only counts then", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const fails = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await cli(["validate", ...args], { cwd });
      expect([args, code]).toEqual([args, 2]);
      return stderr;
    };
    expect(await fails("--timeout", "5")).toContain("--timeout has no effect without --live");
    expect(await fails("--wait", "5")).toContain("--wait has no effect without --live");
    expect(await fails("--read-only")).toContain("--read-only has no effect without --live");
    expect(await fails("--live", "--timeout", "0")).toContain("--timeout 0 is not a number of seconds");
    expect(await fails("--live", "--wait", "soon")).toContain("use 0 to 3600");
    expect(await fails("--live", "--explain", "loopback")).toContain("--explain and --live cannot be used together");
    expect(await fails("--baseline", "--explain", "loopback")).toContain("--explain and --baseline cannot be");
    expect(await fails("--baseline", "--read-only")).toContain("--baseline and --read-only cannot be used together");
    expect(await fails("--baseline", "--every", "5")).toContain("--baseline and --every cannot be used together");
  });

  it("keeps no baseline of what does not answer, and says what is wrong with one that there is", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const nowhere = { cwd, env: { DOCKER_HOST: "unix:///nowhere/docker.sock" } };
    const { code, stdout, stderr } = await cli(["validate", "--baseline"], nowhere);
    expect(code).toBe(6);
    expect(stderr).toContain("warning: no baseline was kept for crewai, as not everything could be measured");
    expect(stdout).toContain("nothing could be measured: the container engine does not answer");
    expect(stderr).toContain("error: 1 measurement that failed, could not be saved or may have left data behind");
    const dir = join(cwd, "frameworks/crewai");
    const file = join(dir, ".scaffold/host/baseline.json");
    expect(fs.existsSync(file)).toBe(false);
    const figures = { median: 1, least: 1, most: 1 };
    const baseline = {
      schemaVersion: 1,
      at: "2026-11-27T12:00:00.000Z",
      machine: { id: "other", cpu: "Z80", architecture: "x64", cores: 1, memory: 65_536 },
      measures: { "qdrant.search": { p50: figures, p95: figures } },
    };
    fs.outputJsonSync(file, baseline);
    expect((await cli(["validate", "--live"], nowhere)).stderr).toContain(
      "crewai: its baseline was made on another machine (1 core, 0 GiB of memory), so nothing is compared",
    );
    fs.writeFileSync(file, "{}");
    expect((await cli(["validate", "--live"], nowhere)).stderr).toContain(
      "frameworks/crewai/.scaffold/host/baseline.json is not a baseline; delete it",
    );
    // It is of this host: git does not see it, nothing takes it for drift, and it goes with its directory.
    expect(fs.readFileSync(join(dir, ".gitignore"), "utf8")).toContain("\n/.scaffold/host/\n");
    expect((await cli(["regenerate", "--check"], { cwd })).code).toBe(0);
    expect((await cli(["remove-framework", "crewai", "--yes", "--purge-secrets"], nowhere)).code).toBe(0);
    expect(fs.existsSync(dir)).toBe(false);
  });

  it("shows probes that could not be asked in every form of a report, and is not content with that", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const nowhere = { cwd, env: { DOCKER_HOST: "unix:///nowhere/docker.sock" } };
    const reports = ["--report", "a.md", "--report", "a.xml", "--report", "a.json"];
    const { code, stdout, stderr } = await cli(["validate", "--live", ...reports], nowhere);
    expect(code).toBe(6);
    expect(stderr).toContain("error: 1 result that could not be determined\nhint: each probe above says what helps");
    expect(stdout).toMatch(/unknown +engine +the container engine does not answer, so nothing could be asked/);
    expect(stdout).toMatch(/\d+ passed, 0 failed, 1 unknown\n$/);
    expect(fs.readFileSync(join(cwd, "a.md"), "utf8")).toContain("| unknown | `crewai` | `engine` |");
    const xml = fs.readFileSync(join(cwd, "a.xml"), "utf8");
    expect(xml).toContain('<testcase classname="crewai" name="engine" time="0.000"><error type="unknown"');
    expect(xml).toContain('tests="1" failures="0" errors="1"');
    expect(document(fs.readFileSync(join(cwd, "a.json"), "utf8"), "validate")).toMatchObject({
      frameworks: [{ probes: [{ id: "engine", outcome: "unknown" }] }],
      summary: { unknown: 1 },
    });
    expect((await cli(["validate", "--live", "--allow-unknown"], nowhere)).code).toBe(0);
  });

  it.each([
    ["github", ".github/workflows/framework-infra.yml", "sarif md"],
    ["gitlab", ".gitlab/framework-infra.yml", "sarif xml"],
  ])("writes a file for %s whose commands work in a clone, once", async (host, file, reports) => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const first = await cli(["validate", "--init-ci", host], { cwd });
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toContain(`Wrote ${file}.`);
    const text = fs.readFileSync(join(cwd, file), "utf8");
    expect(() => parse(text) as unknown).not.toThrow();
    const commands = [
      ...text.matchAll(/npm run ((?:regenerate|validate) -- --(?:check|allow).*?)(?: \|\| .*)?$/gm),
    ].map(([, each = ""]) => each);
    expect(commands.map((each) => each.split(" ")[0])).toEqual(["regenerate", "validate"]);
    // What git does not hand on.
    fs.removeSync(join(cwd, "frameworks/crewai/.env"));
    for (const command of commands) {
      const args = command.split(" ").filter((word) => word !== "--");
      expect([command, (await cli(args, { cwd })).code]).toEqual([command, 0]);
    }
    for (const ending of reports.split(" ")) expect(fs.existsSync(join(cwd, `findings.${ending}`))).toBe(true);
    const again = await cli(["validate", "--init-ci", host], { cwd });
    expect([again.code, again.stdout.split("\n")[0]]).toEqual([0, `${file} is there already.`]);
    fs.appendFileSync(join(cwd, file), "# mine\n");
    const edited = await cli(["validate", "--init-ci", host], { cwd });
    expect([edited.code, edited.stderr.split("\n")[0]]).toEqual([
      2,
      `error: ${file} is there already, with other text`,
    ]);
    expect(fs.readdirSync(join(cwd, file, ".."))).toEqual(["framework-infra.yml"]);
    expect(fs.readFileSync(join(cwd, file), "utf8")).toBe(`${text}# mine\n`);
  });

  it("writes a CI file for a root of another name, and for no other host", async () => {
    const cwd = tempDir();
    await cli(["new-framework", "crewai", "--yes", "--root", "my stacks"], { cwd });
    expect((await cli(["validate", "--init-ci", "github", "--root", "my stacks"], { cwd })).code).toBe(0);
    const text = fs.readFileSync(join(cwd, ".github/workflows/framework-infra.yml"), "utf8");
    expect(text).toContain("npm run regenerate -- --check --root 'my stacks'\n");
    const { code, stderr } = await cli(["validate", "--init-ci", "jenkins"], { cwd });
    expect([code, stderr]).toEqual([2, "error: there is no CI file for jenkins\nhint: use github or gitlab\n"]);
    expect((await cli(["validate", "--init-ci", "github", "--explain", "loopback"], { cwd })).stderr).toContain(
      "--init-ci and --explain cannot be used together",
    );
  });

  it("judges again and again, and tells what changed, until it is ended", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const file = join(cwd, "frameworks/crewai/compose.yaml");
    const told: string[] = [];
    const server = createServer((asked, answer) => {
      asked.setEncoding("utf8");
      asked.on("data", (text: string) => told.push(text));
      asked.on("end", () => answer.end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
    });
    const { child, result } = start(
      process.execPath,
      [LAUNCHER, "validate", "--every", "1", "--on-change", "cat >> told.jsonl", "--report", "found.prom"],
      { cwd, env: { VALIDATE_WEBHOOK: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/key-abc` } },
    );
    await until(() => fs.existsSync(join(cwd, "found.prom")));
    edit(file, (text) => text.replace("restart: unless-stopped", "restart: always"));
    await until(() => told.length === 1);
    edit(file, (text) => text.replace("restart: always", "restart: unless-stopped"));
    await until(() => told.length === 2);
    child.kill("SIGTERM");
    const { code, stdout, stderr } = await result;
    expect(code).toBe(143);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}/, ""));
    expect(lines).toEqual([
      expect.stringMatching(/^\d+ passed, 0 failed; from here on, changes are shown$/),
      expect.stringMatching(/^fail \(was pass\) {2}crewai \w+ restart: /),
      expect.stringMatching(/^ {4}/),
      expect.stringMatching(/^pass \(was fail\) {2}crewai \w+ restart: is right again$/),
    ]);
    expect(stderr).not.toContain("key-abc");
    const changes = fs.readFileSync(join(cwd, "told.jsonl"), "utf8").trim().split("\n");
    expect(changes).toEqual(told);
    expect(changes.map((line) => document(line, "changes"))).toMatchObject([
      { changes: [{ framework: "crewai", check: "restart", from: "pass", to: "fail" }] },
      { changes: [{ framework: "crewai", check: "restart", from: "fail", to: "pass", fix: "" }] },
    ]);
    expect(fs.readFileSync(join(cwd, "found.prom"), "utf8")).toMatch(
      /^framework_infra_findings\{framework="crewai",outcome="fail"\} 0$/m,
    );
  });

  it("goes on when a round or a message fails, and says so", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const { child, result } = start(
      process.execPath,
      [
        LAUNCHER,
        "validate",
        "--every",
        "1",
        "--on-change",
        "exit 3",
        "--webhook",
        await nobody(),
        "--report",
        UNWRITABLE,
      ],
      { cwd },
    );
    edit(join(cwd, "frameworks/crewai/compose.yaml"), (text) =>
      text.replace("restart: unless-stopped", "restart: always"),
    );
    const seen: string[] = [];
    child.stderr?.on("data", (text: string) => seen.push(text));
    await until(() => seen.join("").includes("ended with 3") && seen.join("").split("ww.md").length > 2);
    child.kill("SIGINT");
    const { code, stderr } = await result;
    expect([code, stderr]).toEqual([130, expect.stringContaining("interrupted; no further round")]);
    expect(stderr).toContain("warning: the webhook was not told (ECONNREFUSED)");
    expect(stderr).toContain("warning: the command of --on-change ended with 3");
  });

  it("wants --every for what it tells others, and no JSON with it", async () => {
    const cwd = tempDir();
    const fails = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await cli(["validate", ...args], { cwd });
      expect([args, code]).toEqual([args, 2]);
      return stderr;
    };
    expect(await fails("--webhook", "http://a")).toContain("--webhook has no effect without --every");
    expect(await fails("--on-change", "true")).toContain("--on-change has no effect without --every");
    expect(await fails("--every", "5", "--json")).toContain("--every and --json cannot be used together");
    expect(await fails("--every", "0")).toContain("--every 0 is not a number of seconds");
    expect(await fails("--every", "5", "--webhook", "file:///etc/passwd")).toContain("--webhook needs a URL");
    expect(await fails("--every", "5", "--init-waivers")).toContain("cannot be used together");
  });

  it("refuses a root that was mistyped, and takes a default one that is not there yet for empty", async () => {
    const cwd = tempDir();
    const typed = await cli(["validate", "--root", "frameworsk", "--report", "r.xml"], { cwd });
    expect([typed.code, typed.stderr]).toEqual([2, expect.stringContaining("frameworsk does not exist")]);
    expect(fs.readdirSync(cwd)).toEqual([]);
    expect((await cli(["validate"], { cwd })).code).toBe(0);
  });

  it("writes the other reports where one cannot be written, and says both", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    fs.writeFileSync(join(cwd, "frameworks/crewai/compose.override.yaml"), "services: {a: {image: x}}\n");
    const { code, stderr } = await cli(["validate", "--report", UNWRITABLE, "--report", "r.md"], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /note: the report is in r\.md\nnote: \d+ findings of severity error or above\nerror: w+\.md: /,
    );
    expect(fs.readFileSync(join(cwd, "r.md"), "utf8")).toContain("crewai");
  });

  it("explains each rule, and suggests one", async () => {
    const cwd = tempDir();
    const { code, stdout } = await cli(["validate", "--explain", "loopback"], { cwd });
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^loopback \(error\)\n[\s\S]*\nFix: [\s\S]*CIS .* 5\.14\n/),
    ]);
    const { code: wrong, stderr } = await cli(["validate", "--explain", "lopback"], { cwd });
    expect([wrong, stderr]).toEqual([2, expect.stringContaining("did you mean loopback?")]);
    const probe = await cli(["validate", "--explain", "Qdrant.round-trip"], { cwd });
    expect(probe.stdout).toMatch(
      /^qdrant\.round-trip \(probe of --live\)\nA pass means: .*\nIt writes something for a moment, [\s\S]*\nFix: .*docker compose logs qdrant/,
    );
    expect((await cli(["validate", "--explain", "state"], { cwd })).stdout).toContain("for each service");
  });

  it("writes reports, whole or not at all, with no markup of anybody's in them", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const dir = join(cwd, "frameworks/crewai");
    fs.writeFileSync(
      join(dir, "compose.override.yaml"),
      'services: {"a<b>|`x`&\\"": {image: "x<script>|y", restart: always, networks: [own]}}\nnetworks: {own: {name: "net-${QDRANT_API_KEY}"}}\n',
    );
    const files = ["r.json", "r.md", "r.xml", "r.sarif", "r.html"];
    const { code, stderr } = await cli(["validate", ...files.flatMap((file) => ["--report", file])], { cwd });
    expect([code, stderr]).toEqual([6, expect.stringContaining("note: the report is in r.sarif")]);
    const [json = "", markdown = "", , sarif = "", html = ""] = files.map((file) =>
      fs.readFileSync(join(cwd, file), "utf8"),
    );
    expect(failing(document(json, "validate") as unknown as Document).length).toBeGreaterThan(5);
    expect(html).toContain("a&lt;b&gt;");
    expect(html).not.toMatch(/<script|<b>/);
    // A secret may be a part of any name.
    const key = /^QDRANT_API_KEY=(.+)$/m.exec(fs.readFileSync(join(dir, ".env"), "utf8"))?.[1] ?? "";
    expect(key.length).toBeGreaterThan(20);
    expect(html).not.toContain(key);
    expect(html).toContain("net-${QDRANT_API_KEY}");
    // Whatever is anybody's is code.
    for (const line of markdown.split("\n").filter((each) => each.includes("x<script>")))
      expect(line).toMatch(/`[^`]*x<script>[^`]*`/);
    const { results } = (JSON.parse(sarif) as { runs: { results: { ruleId: string; ruleIndex: number }[] }[] })
      .runs[0] ?? { results: [] };
    expect(results.every(({ ruleIndex }) => ruleIndex >= 0)).toBe(true);
    const parsed = await run("python3", [
      "-c",
      "import sys, xml.etree.ElementTree as e; r = e.parse(sys.argv[1]).getroot(); print(len(r.findall('.//failure')), r.find('testsuite').get('failures'))",
      join(cwd, "r.xml"),
    ]);
    const [cases, counted] = parsed.stdout.trim().split(" ");
    expect(Number(cases)).toBeGreaterThan(5);
    expect(counted).toBe(cases);
    expect(fs.readdirSync(cwd).toSorted()).toEqual(["frameworks", ...files].toSorted());
    for (const [file, said] of [
      ["r.txt", "does not say what to write"],
      ["frameworks.md", "is a directory"],
      ["nowhere/r.md", "there is no directory nowhere"],
    ] as const) {
      if (file === "frameworks.md") fs.mkdirSync(join(cwd, file));
      const outcome = await cli(["validate", "--report", file], { cwd });
      expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining(said)]);
    }
  });
});
