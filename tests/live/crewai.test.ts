import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cli, run } from "../helpers/cli.ts";
import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { leftOut } from "../helpers/left-out.ts";
import { pythonWith } from "../helpers/python.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

/**
 * One stack, started as the README says, on a real engine. PostgreSQL and Valkey are the real programs;
 * Qdrant, ClickHouse, SeaweedFS and Langfuse are stand-ins (tests/live/images/README.md).
 */
describe.skipIf(engineProblem() !== undefined)("crewai on a real engine", () => {
  // Made in beforeAll: a group that is left out must leave no directory behind.
  let cwd = "";
  let stack = new Stack("");

  beforeAll(async () => {
    cwd = newTempDir();
    stack = new Stack(join(cwd, "frameworks", "crewai"));
    const { code, stderr } = await cli(["new-framework", "crewai", "--yes"], { cwd });
    if (code !== 0) throw new Error(stderr);
    stack.useTestImages();
    await stack.ok("up", "-d", "--wait");
  });

  afterAll(async () => {
    await stack.remove();
    removeDir(cwd);
  });

  it("has every service healthy and every one-shot done", async () => {
    const listed = await stack.ok("ps", "--all", "--format", "json");
    const containers = listed
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { Service: string; State: string; Health: string; ExitCode: number });
    const states = Object.fromEntries(
      containers.map(({ Service, State, Health, ExitCode }) => [
        Service,
        State === "exited" ? `exit ${String(ExitCode)}` : Health,
      ]),
    );
    expect(states).toEqual({
      clickhouse: "healthy",
      langfuse: "healthy",
      "langfuse-bucket": "exit 0",
      "langfuse-database": "exit 0",
      "langfuse-worker": "healthy",
      postgres: "healthy",
      qdrant: "healthy",
      seaweedfs: "healthy",
      valkey: "healthy",
    });
  });

  it("runs the real PostgreSQL and Valkey, and stand-ins that say so", async () => {
    const standIn = async (image: string): Promise<string> =>
      (await docker("image", "inspect", "-f", '{{index .Config.Labels "framework-infra.stand-in"}}', image)).trim();
    expect(await standIn("framework-infra-test/postgres:15")).toBe("false");
    expect(await standIn("framework-infra-test/valkey:8.1")).toBe("false");
    expect(await standIn("framework-infra-test/qdrant-stand-in:1.19")).toBe("true");
    expect(await stack.ok("exec", "-T", "postgres", "psql", "-U", "postgres", "-Atc", "SELECT version()")).toContain(
      "PostgreSQL 15.",
    );
    expect(await stack.ok("exec", "-T", "valkey", "valkey-server", "--version")).toContain("v=8.1");
  });

  it("answers on the published ports, on loopback alone", async () => {
    const { stdout } = await run("docker", ["ps", "--format", "{{.Ports}}"]);
    const published = [...stdout.matchAll(/([\d.]+|\[::\]):(\d+)->/g)].map(
      ([, address, port]) => `${address ?? ""}:${port ?? ""}`,
    );
    expect(published.toSorted()).toEqual(["127.0.0.1:3000", "127.0.0.1:5432", "127.0.0.1:6333"]);
    expect((await fetch("http://127.0.0.1:6333/readyz")).status).toBe(200);
    expect((await fetch("http://127.0.0.1:3000/api/public/health")).status).toBe(200);
  });

  it("talks to all of it by examples/connect.py", async () => {
    const python = pythonWith("psycopg");
    if (python === undefined) leftOut("PostgreSQL in examples/connect.py", "python3 with psycopg");
    const { code, stdout, stderr } = await run(python ?? "python3", ["examples/connect.py"], { cwd: stack.dir });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^langfuse: version 4\S+, project crewai: a trace was sent and read back$/m);
    expect(stdout).toMatch(/^qdrant: stored two points and found the nearest$/m);
    expect(stdout).toMatch(python === undefined ? /^postgres: skipped/m : /^postgres: connected to crewai as crewai$/m);
  });

  it("keeps the application out of Langfuse's database", async () => {
    const env = stack.env;
    const query = (user: string, database: string, sql: string) =>
      stack.compose(
        "exec",
        "-T",
        "-e",
        `PGPASSWORD=${env.get("APP_DB_PASSWORD") ?? ""}`,
        "postgres",
        "psql",
        "-h",
        "postgres",
        "-U",
        user,
        "-d",
        database,
        "-Atc",
        sql,
      );
    expect((await query("crewai", "crewai", "SELECT current_user")).stdout.trim()).toBe("crewai");
    expect((await query("crewai", "langfuse", "SELECT 1")).stderr).toContain("permission denied for database");
    expect((await query("crewai", "postgres", "SELECT 1")).stderr).toContain("permission denied for database");
  });

  it("makes the queue refuse before the kernel kills it: maxmemory is 70 % of the limit", async () => {
    const answer = await stack.ok(
      "exec",
      "-T",
      "valkey",
      "sh",
      "-c",
      'REDISCLI_AUTH="$VALKEY_PASSWORD" valkey-cli config get "maxmemory*"',
    );
    const settings = answer.trim().split("\n");
    const value = (name: string): string => settings[settings.indexOf(name) + 1] ?? "";
    expect(value("maxmemory-policy")).toBe("noeviction");
    const share = Number(value("maxmemory")) / (512 * 2 ** 20);
    expect([share > 0.69, share < 0.71]).toEqual([true, true]);
  });

  it("starts each service alone", async () => {
    await stack.ok("down");
    // Nothing anonymous is left: only the volumes that compose.yaml names.
    const volumes = (await docker("volume", "ls", "-q")).trim().split("\n");
    expect(volumes.filter((name) => !name.startsWith("crewai_"))).toEqual([]);
    await stack.ok("up", "-d", "--wait", "postgres");
    expect((await stack.ok("ps", "--services")).trim()).toBe("postgres");
  });
});
