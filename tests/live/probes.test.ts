import fs from "fs-extra";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Probed } from "../../src/probes/probe.ts";
import { probeName } from "../../src/report/validation/words.ts";
import { cli, LAUNCHER, run, start, type Outcome } from "../helpers/cli.ts";
import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { ECHO_COMPOSE, ECHO_MANIFEST } from "../helpers/echo-service.ts";
import { FAULT_FILE, NO_FAULT, type Fault } from "../helpers/faults/fault.ts";
import { FAULTS } from "../helpers/faults/two-services.ts";
import { STACK_FAULTS } from "../helpers/faults/whole-stack.ts";
import { PROJECT } from "../helpers/project.ts";
import { document } from "../helpers/schemas.ts";
import { newTempDir, removeDir, tempDir } from "../helpers/temp.ts";

interface Document {
  frameworks: { name: string; findings: { rule: string; outcome: string; fix: string }[]; probes: Probed[] }[];
}

/** What `validate --live` says of the one framework of a directory. */
async function asked(
  cwd: string,
  flags: readonly string[] = [],
  clock = 0,
): Promise<Outcome & { probes: Probed[]; rules: string[]; fixes: string[] }> {
  const args = ["validate", "--live", "--json", "--timeout", "3", ...flags];
  const outcome =
    clock === 0
      ? await cli(args, { cwd })
      : await run("faketime", ["-f", `+${String(clock)}s`, process.execPath, LAUNCHER, ...args], { cwd });
  const { frameworks: all } = JSON.parse(outcome.stdout) as Document;
  const [{ findings, probes } = { findings: [], probes: [] }] = all;
  const failed = findings.filter((each) => each.outcome === "fail");
  return { ...outcome, probes, rules: failed.map(({ rule }) => rule), fixes: failed.map(({ fix }) => fix) };
}

/** How each figure is against the baseline, by its id. */
async function measuresIn(cwd: string): Promise<Record<string, string | null>> {
  const { stdout } = await cli(["validate", "--live", "--json", "--timeout", "30"], { cwd });
  const { frameworks } = document(stdout, "validate") as {
    frameworks?: { measures?: { id: string; comparison: string | null }[] }[];
  };
  const [framework] = frameworks ?? [];
  return Object.fromEntries((framework?.measures ?? []).map(({ id, comparison }) => [id, comparison]));
}

/** Everything of the engine that a probe could have left. */
async function engineState(): Promise<string> {
  const parts = await Promise.all([
    docker("ps", "-a", "--format", "{{.Names}}"),
    docker("network", "ls", "--format", "{{.Name}}"),
    docker("volume", "ls", "--format", "{{.Name}}"),
  ]);
  return parts.map((part) => part.trim().split("\n").toSorted().join("\n")).join("\n--\n");
}

async function eventually<T>(value: () => Promise<T>, wanted: T): Promise<void> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    const found = await value();
    if (JSON.stringify(found) === JSON.stringify(wanted)) return;
    if (Date.now() > deadline) expect(found).toEqual(wanted);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Rows of the table in docs/validation.md. */
const found: string[] = [];

async function findsFault(
  stack: Stack,
  cwd: string,
  { name, foundBy, rules = [], inject, clock }: Fault,
): Promise<void> {
  const undo = await inject(stack);
  try {
    const { code, probes, rules: broken, fixes, stdout, stderr } = await asked(cwd, [], clock);
    const failed = probes.filter(({ outcome }) => outcome === "fail");
    expect(failed.map(probeName).toSorted(), JSON.stringify(failed, null, 2)).toEqual([...foundBy].toSorted());
    expect(broken).toEqual(rules);
    expect(failed.filter(({ hint }) => hint === "")).toEqual([]);
    expect(code).toBe(6);
    const first = failed.find((each) => probeName(each) === foundBy[0]) ?? { hint: fixes[0] };
    const by = [...foundBy, ...rules.map((rule) => `the rule ${rule}`)];
    found.push(`| ${name} | ${by.join(", ")} | ${first.hint ?? ""} |`);
    for (const [variable, value] of stack.env)
      if (/PASSWORD|SECRET|KEY/.test(variable) && value.length > 8) expect(stdout + stderr).not.toContain(value);
  } finally {
    await undo();
    await stack.ok("up", "-d", "--wait");
  }
}

/** Everything, and not only what the gate has time for. */
const UPDATES = process.env["UPDATE_DOCS"] === "1";
const IS_SWEEP = process.env["FRAMEWORK_INFRA_RUNS"] !== undefined;

/** Milliseconds after which it is killed: a few of them in the gate. */
const SOME = [300, 450, 600, 800, 1100, 1500, 2500];
const MANY = Array.from({ length: 40 }, (_, index) => 200 + index * 100);

describe.skipIf(engineProblem() !== undefined)("probes of PostgreSQL and Qdrant", () => {
  let cwd = "";
  let stack = new Stack("");

  beforeAll(async () => {
    cwd = newTempDir();
    const { code, stderr } = await cli(["new-framework", "crewai", "--services", "postgres,qdrant", "--yes"], { cwd });
    if (code !== 0) throw new Error(stderr);
    stack = new Stack(join(cwd, "frameworks", "crewai"));
    stack.useTestImages();
    fs.appendFileSync(join(stack.dir, ".env"), "QDRANT_MEMORY_LIMIT=256m\n");
    fs.appendFileSync(join(stack.dir, ".env"), `COMPOSE_FILE=compose.yaml:compose.override.yaml:${FAULT_FILE}\n`);
    fs.writeFileSync(join(stack.dir, FAULT_FILE), NO_FAULT);
    // Faults are looked for many times: health checks are asked more often.
    const soon = "healthcheck: { interval: 1s, retries: 60 }";
    fs.writeFileSync(
      join(stack.dir, "compose.override.yaml"),
      `services:\n  postgres: { ${soon} }\n  qdrant: { ${soon} }\nvolumes:\n  qdrant_data:\n    driver_opts: { type: tmpfs, device: tmpfs, o: 'size=16m,uid=1000,gid=1000' }\n`,
    );
  });

  afterAll(async () => {
    await stack.remove();
    removeDir(cwd);
  });

  it("says what does not run, before anything was started", async () => {
    const { code, probes } = await asked(cwd);
    expect(code).toBe(6);
    expect(probes.filter(({ outcome }) => outcome === "fail").map(probeName)).toEqual([
      "postgres state",
      "qdrant state",
    ]);
    expect(probes.filter(({ outcome }) => outcome === "pass").map(probeName)).toEqual(["engine", "clock"]);
  });

  it("waits for what is still starting", async () => {
    await stack.ok("up", "-d");
    const { code, probes } = await asked(cwd, ["--wait", "60"]);
    expect(probes.filter(({ outcome }) => outcome !== "pass")).toEqual([]);
    expect(code).toBe(0);
  });

  it("leaves out with --read-only what writes, and says so", async () => {
    const { code, probes, stderr } = await asked(cwd, ["--read-only"]);
    expect(code).toBe(0);
    expect(probes.map(probeName)).not.toContain("qdrant.round-trip");
    expect(probes.map(probeName)).toContain("qdrant.key-required");
    expect(stderr).toContain("--read-only: 3 probes that write something were left out");
  });

  it.each(FAULTS)("finds: $name", async (fault) => {
    await findsFault(stack, cwd, fault);
  });

  it("finds nothing when all is put right again, and leaves nothing", async () => {
    const before = await engineState();
    const { code, probes } = await asked(cwd);
    expect(probes.filter(({ outcome }) => outcome !== "pass")).toEqual([]);
    expect(code).toBe(0);
    expect(await engineState()).toBe(before);
    expect(await stack.qdrant("GET", "/collections")).toMatchObject({ result: { collections: [] } });
  });

  it("leaves nothing when it is killed, or interrupted", async () => {
    const before = await engineState();
    const schemas = async (): Promise<string> =>
      stack.sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'framework%'", "crewai");
    // The program alone, whose children go on for a moment, and its whole group.
    for (const [index, after] of (IS_SWEEP ? MANY : SOME).entries()) {
      const { child, result } = start("setsid", [process.execPath, LAUNCHER, "validate", "--live"], { cwd });
      await new Promise((resolve) => setTimeout(resolve, after));
      if (child.pid !== undefined)
        await run("kill", ["-KILL", "--", `${index % 3 === 0 ? "" : "-"}${String(child.pid)}`]);
      await result;
    }
    const { child, result } = start(process.execPath, [LAUNCHER, "validate", "--live"], { cwd });
    await new Promise((resolve) => setTimeout(resolve, 1200));
    child.kill("SIGINT");
    expect((await result).code).toBe(130);
    await eventually(engineState, before);
    await eventually(async () => (await stack.qdrant("GET", "/collections")).result, { collections: [] });
    expect(await schemas()).toBe("0");
  });

  it("keeps how fast it is, says later what became slower, and no more", async () => {
    const { code, stdout, stderr } = await cli(["validate", "--baseline"], { cwd });
    expect([code, stderr]).toEqual([0, expect.stringContaining(".scaffold/host/baseline.json") as string]);
    expect(stdout).toMatch(/ms +qdrant\.search +median [\d.]+ ms \([\d.]+ to [\d.]+\), 95th percentile/);
    const kept = document(fs.readFileSync(join(stack.dir, ".scaffold/host/baseline.json"), "utf8"), "baseline");
    expect(kept).toMatchObject({ machine: { cores: availableParallelism() } });
    const same = {
      "postgres.lookup": "same",
      "postgres.commit": "same",
      "qdrant.search": "same",
      "qdrant.write": "same",
    };
    // A host may have other work to do, though hardly three times in a row.
    const unchanged = [await measuresIn(cwd), await measuresIn(cwd), await measuresIn(cwd)];
    expect(unchanged).toContainEqual(same);
    await docker("update", "--cpus", "0.05", "crewai_qdrant");
    try {
      expect(await measuresIn(cwd)).toMatchObject({ "qdrant.search": "slower", "qdrant.write": "slower" });
      const { stdout: said } = await cli(["validate", "--live", "--timeout", "30"], { cwd });
      expect(said).toMatch(/slower +qdrant\.search .*, slower than on \d{4}-/);
      expect(said).toMatch(/before: median/);
    } finally {
      await docker("update", "--cpus", "1", "crewai_qdrant");
    }
    expect((await stack.qdrant("GET", "/collections")).result).toEqual({ collections: [] });
    // What may be measured, and what is measured for it, are two things.
    const quiet = await cli(["validate", "--live", "--read-only", "--json"], { cwd });
    expect(quiet.stdout).not.toContain("measures");
  });

  it("leaves nothing when it is killed while it measures", async () => {
    const { child, result } = start("setsid", [process.execPath, LAUNCHER, "validate", "--baseline"], { cwd });
    // Only measuring has two collections at once.
    const collections = async (): Promise<number> => {
      const answer = (await stack.qdrant("GET", "/collections")).result as { collections: unknown[] };
      return answer.collections.length;
    };
    while ((await collections()) < 2 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(child.exitCode).toBe(null);
    if (child.pid !== undefined) await run("kill", ["-KILL", "--", `-${String(child.pid)}`]);
    await result;
    await eventually(collections, 0);
    expect(await stack.sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'framework%'", "crewai")).toBe("0");
  });

  it("keeps no baseline when something cannot be measured", async () => {
    const file = join(stack.dir, ".scaffold/host/baseline.json");
    const before = fs.readFileSync(file, "utf8");
    await docker("stop", "crewai_qdrant");
    try {
      const { code, stdout, stderr } = await cli(["validate", "--baseline"], { cwd });
      expect(code).toBe(6);
      expect(stdout).toContain("qdrant.search could not be measured: qdrant is not running");
      expect(stderr).toContain("no baseline was kept for crewai");
      expect(stderr).toContain("2 measurements that failed, could not be saved or may have left data behind");
      expect(fs.readFileSync(file, "utf8")).toBe(before);
    } finally {
      await stack.ok("up", "-d", "--wait");
      fs.removeSync(join(stack.dir, ".scaffold/host"));
    }
    // What was found is shown all the same where it cannot be written.
    fs.writeFileSync(join(stack.dir, ".scaffold/host"), "");
    const { code, stdout } = await cli(["validate", "--baseline"], { cwd });
    expect([code, stdout]).toEqual([6, expect.stringMatching(/qdrant\.search +median/) as string]);
    expect(stdout).toMatch(/unknown +no baseline was kept: /);
    fs.removeSync(join(stack.dir, ".scaffold/host"));
  });

  it("asks a service of somebody else's as its manifest says, and gives up on one that hangs", async () => {
    const own = tempDir();
    const templates = join(own, "templates");
    fs.copySync(join(PROJECT, "templates"), templates);
    fs.outputFileSync(join(templates, "services/echo/service.yaml"), ECHO_MANIFEST);
    fs.outputFileSync(join(templates, "services/echo/compose.yaml.hbs"), ECHO_COMPOSE);
    const made = await cli(["new-framework", "dspy", "--services", "echo", "--yes", "--templates", templates], {
      cwd: own,
    });
    expect([made.code, made.stderr]).toEqual([0, expect.any(String)]);
    const echo = new Stack(join(own, "frameworks/dspy"));
    try {
      await echo.ok("up", "-d", "--wait");
      const begun = Date.now();
      const { probes } = await asked(own, ["--templates", templates]);
      const said = Object.fromEntries(
        probes.filter(({ id }) => id.startsWith("echo.")).map(({ id, outcome, message }) => [id, [outcome, message]]),
      );
      expect(said).toEqual({
        // What a service repeats of a secret is not shown.
        "echo.secret": ["fail", "it is ${ECHO_SECRET}"],
        "echo.open": ["pass", "its port is open"],
        "echo.peer": ["pass", "hello from beside"],
        "echo.wrong": ["fail", 'GET / was answered with another word than "bye"'],
        "echo.hangs": ["fail", "GET /hang was not answered (ETIMEDOUT)"],
        "echo.slow": ["fail", "there was no answer in time"],
        "echo.missing": ["unknown", "it could not be asked: sh: 1: no-such-program: not found"],
        "echo.unset": ["unknown", ".env does not set ECHO_UNSET"],
      });
      // Three seconds for each answer, and a container takes a moment to start and to end.
      expect(Date.now() - begun).toBeLessThan(20_000);
    } finally {
      await echo.remove();
    }
  });

  it("says that nothing could be asked where no engine answers", async () => {
    const { stdout, code } = await cli(["validate", "--live", "--json"], {
      cwd,
      env: { DOCKER_HOST: "unix:///nowhere/docker.sock" },
    });
    const { frameworks } = JSON.parse(stdout) as Document;
    expect(frameworks[0]?.probes).toMatchObject([{ id: "engine", outcome: "unknown", hint: "npm run doctor" }]);
    expect(code).toBe(6);
  });
});

describe.skipIf(engineProblem() !== undefined)("probes of a whole stack", () => {
  let cwd = "";
  let stack = new Stack("");

  beforeAll(async () => {
    cwd = newTempDir();
    const { code, stderr } = await cli(["new-framework", "crewai", "--yes"], { cwd });
    if (code !== 0) throw new Error(stderr);
    stack = new Stack(join(cwd, "frameworks", "crewai"));
    stack.useTestImages();
    await stack.ok("up", "-d", "--wait");
  });

  afterAll(async () => {
    await stack.remove();
    removeDir(cwd);
  });

  async function observations(): Promise<unknown> {
    const keys = `${stack.env.get("LANGFUSE_PUBLIC_KEY") ?? ""}:${stack.env.get("LANGFUSE_SECRET_KEY") ?? ""}`;
    const answer = await fetch(`${stack.env.get("LANGFUSE_HOST") ?? ""}/api/public/v2/observations`, {
      headers: { authorization: `Basic ${Buffer.from(keys).toString("base64")}` },
    });
    return ((await answer.json()) as { data: unknown }).data;
  }

  it("passes all of them, and leaves nothing in any store", async () => {
    const { code, probes } = await asked(cwd, ["--timeout", "10"]);
    expect(probes.filter(({ outcome }) => outcome !== "pass")).toEqual([]);
    expect(code).toBe(0);
    expect(await observations()).toEqual([]);
  });

  it.each(STACK_FAULTS.filter(({ isOneOfMany }) => IS_SWEEP || UPDATES || isOneOfMany !== true))(
    "finds: $name",
    async (fault) => {
      await findsFault(stack, cwd, fault);
    },
  );

  it("is measured, and no span of it stays", async () => {
    // A probe's span that the worker could not store while a store was down is stored now, after its deletion.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const before = await observations();
    // The spans of measuring are stored by the worker, and only then deleted.
    const kept = await cli(["validate", "--baseline"], { cwd });
    expect([kept.code, kept.stdout]).toEqual([0, expect.stringMatching(/langfuse\.ingestion +median/) as string]);
    await eventually(observations, before);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(await observations()).toEqual(before);
  });
});

it.skipIf(engineProblem() !== undefined)("docs/validation.md has the table of faults as it came out", () => {
  const file = join(PROJECT, "docs/validation.md");
  const text = fs.readFileSync(file, "utf8");
  const [begin, end] = ["<!-- faults: written by the live test with UPDATE_DOCS=1 -->", "<!-- end of the faults -->"];
  const [before = "", rest = ""] = text.split(begin);
  const table = ["| what is wrong | found by | what helps |", "|---|---|---|", ...found, ""].join("\n");
  const wanted = `${before}${begin}\n\n${table}\n${end}${rest.split(end)[1] ?? ""}`;
  const isWhole = found.length === FAULTS.length + STACK_FAULTS.length;
  if (UPDATES) {
    // Half a table would be worse than an old one.
    expect(isWhole).toBe(true);
    fs.writeFileSync(file, wanted);
  } else if (isWhole) expect(text).toBe(wanted);
  else expect(found.filter((row) => !text.includes(`${row}\n`))).toEqual([]);
});
