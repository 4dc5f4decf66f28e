import fs from "fs-extra";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cli, run, start } from "../helpers/cli.ts";
import { backupManifest } from "../../src/report/backup-documents.ts";
import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { leftOut } from "../helpers/left-out.ts";
import { pythonWith } from "../helpers/python.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

/**
 * One stack, started as the README says, on a real engine. PostgreSQL and Valkey are the real programs;
 * ClickHouse is its own engine in a stand-in of its server; Qdrant, SeaweedFS and Langfuse are stand-ins
 * (tests/live/images/README.md).
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

  const langfuse = async (path: string, init?: RequestInit): Promise<Record<string, unknown>> => {
    const keys = `${stack.env.get("LANGFUSE_PUBLIC_KEY") ?? ""}:${stack.env.get("LANGFUSE_SECRET_KEY") ?? ""}`;
    const headers = {
      authorization: `Basic ${Buffer.from(keys).toString("base64")}`,
      "content-type": "application/json",
      "x-langfuse-ingestion-version": "4",
    };
    const response = await fetch(`http://127.0.0.1:3000${path}`, { headers, ...init });
    if (!response.ok) throw new Error(`${path}: ${String(response.status)} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  const send = async (traceId: string): Promise<void> => {
    const now = `${String(Date.now())}000000`;
    const span = {
      traceId,
      spanId: traceId.slice(16),
      name: "kept",
      kind: 1,
      startTimeUnixNano: now,
      endTimeUnixNano: now,
    };
    const body = JSON.stringify({
      resourceSpans: [{ resource: {}, scopeSpans: [{ scope: { name: "t" }, spans: [span] }] }],
    });
    await langfuse("/api/public/otel/v1/traces", { method: "POST", body });
  };
  const found = async (traceId: string, most = 60): Promise<unknown[]> => {
    const from = new Date(Date.now() - 3_600_000).toISOString();
    for (let tries = 0; tries < most; tries += 1) {
      const { data } = await langfuse(
        `/api/public/v2/observations?traceId=${traceId}&fields=core,basic,io&fromStartTime=${from}`,
      );
      if (Array.isArray(data) && data.length > 0) return data;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    return [];
  };

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

  it("comes back from a backup: a trace that was read before the volumes were destroyed is read after it", async () => {
    const [first, last] = ["0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d"] as const;
    await send(first);
    const before = await found(first);
    expect(before).toHaveLength(1);
    // Sent right before: it may still be queued, and must be in the set all the same.
    await send(last);
    // Somebody goes on sending all the while, one trace after the other. What is under way when the server is paused
    // may fail when it resumes, because the object store was stopped meanwhile: as an SDK would, go on after that.
    const sent: string[] = [];
    let refused = 0;
    let isOver = false;
    const writing = (async (): Promise<void> => {
      for (let number = 0; !isOver; number += 1) {
        const traceId = `${String(number).padStart(16, "0")}448eb211c80319ff`;
        try {
          await send(traceId);
          sent.push(traceId);
        } catch (error) {
          refused += 1;
          if (refused > 5) throw error;
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }
      }
    })();
    const saved = await stack.script("backup.sh");
    isOver = true;
    await writing;
    expect([saved.code, saved.stderr.replaceAll(/^\{.*\}\n/gm, "")]).toEqual([0, ""]);
    const id = saved.stdout.trim();
    const manifest = backupManifest.parse(
      JSON.parse(fs.readFileSync(join(stack.dir, "backups", id, "manifest.json"), "utf8")),
    );
    expect(manifest).toMatchObject({ complete: true, quiesced: true, eventsAtRisk: 0 });
    expect(Object.keys(manifest.services)).toEqual(["clickhouse", "postgres", "qdrant", "seaweedfs"]);
    // All of it goes on as before.
    await stack.ok("up", "-d", "--wait");
    await stack.ok("down", "--volumes");
    expect(await docker("volume", "ls", "-q", "--filter", "name=crewai")).toBe("");
    const restored = await stack.script("restore.sh", id, "--no-safety-set");
    expect([restored.code, restored.stderr.replaceAll(/^\{.*\}\n/gm, "")]).toEqual([0, ""]);
    expect(await found(first)).toEqual(before);
    expect(await found(last)).toHaveLength(1);
    // Rows of PostgreSQL, rows of ClickHouse and objects of S3 refer to each other: none to what is not there.
    const references = await langfuse("/api/stand-in/references");
    expect(references).toMatchObject({ missing: [] });
    expect(references["traces"]).toBeGreaterThan(1);
    // All that was answered before the web server was paused, and nothing that was answered later: no gap.
    const isThere = await Promise.all(sent.map(async (traceId) => (await found(traceId, 1)).length > 0));
    const stored = isThere.filter(Boolean).length;
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(sent.length);
    expect(isThere).toEqual(sent.map((_, index) => index < stored));
    // And it takes in what is new, as its own roles.
    await send("2cf7651916cd43dd8448eb211c80319e");
    expect(await found("2cf7651916cd43dd8448eb211c80319e")).toHaveLength(1);
    // A drill restores all of it once more, beside the stack, which does not notice.
    const drill = await stack.script("verify-backup.sh", "--drill", id);
    expect([drill.code, drill.stderr.replaceAll(/^\{.*\}\n/gm, "")]).toEqual([0, ""]);
    expect(await docker("ps", "--all", "--quiet", "--filter", "name=crewai__drill")).toBe("");
    expect(await docker("volume", "ls", "--quiet", "--filter", "name=crewai__drill")).toBe("");
    expect(await found(first)).toEqual(before);
    // Over the running stack, with the safety set: whoever writes stays stopped until all of it is restored.
    const events = start("docker", ["events", "--filter", "event=start", "--format", "{{.Actor.Attributes.name}}"], {
      timeout: 280_000,
    });
    const again = await stack.script("restore.sh", id);
    expect([again.code, again.stderr.replaceAll(/^\{.*\}\n/gm, "")]).toEqual([0, ""]);
    events.child.kill();
    const started = (await events.result).stdout.split("\n");
    const times = (name: string): number => started.filter((each) => each === `crewai_${name}`).length;
    expect([times("langfuse"), times("langfuse_worker")]).toEqual([1, 1]);
    // What is copied as files is stopped for it; ClickHouse makes its own backup.
    expect([times("seaweedfs") > 1, times("clickhouse")]).toEqual([true, 0]);
    expect(await found(first)).toEqual(before);
    const { code } = await run("python3", ["examples/connect.py"], { cwd: stack.dir });
    expect(code).toBe(0);
  });

  it("says how much is at risk in a set that was made without pausing anything", async () => {
    await stack.ok("stop", "langfuse-worker");
    const ids = ["a", "b", "c"].map((digit) => `${digit.repeat(16)}448eb211c80319aa`);
    for (const id of ids) await send(id);
    const { code, stdout } = await stack.script("backup.sh", "--no-quiesce");
    expect(code).toBe(0);
    const manifest = backupManifest.parse(
      JSON.parse(fs.readFileSync(join(stack.dir, "backups", stdout.trim(), "manifest.json"), "utf8")),
    );
    expect(manifest).toMatchObject({ complete: true, quiesced: false, eventsAtRisk: ids.length });
    // They are still queued, and stored as soon as somebody does it.
    await stack.ok("start", "langfuse-worker");
    for (const id of ids) expect(await found(id)).toHaveLength(1);
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
