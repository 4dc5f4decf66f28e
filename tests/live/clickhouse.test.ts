import fs from "fs-extra";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { sha256 } from "../../src/lib/digest.ts";
import { backupManifest } from "../../src/report/backup-documents.ts";
import { cli, start, type Outcome } from "../helpers/cli.ts";
import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

const written = (name: string): string => fs.readFileSync(join(import.meta.dirname, "clickhouse", name), "utf8");

/** ClickHouse's own engine in a stand-in of its server: its BACKUP and RESTORE are real, its client is not. */
describe.skipIf(engineProblem() !== undefined)("a backup of ClickHouse", () => {
  let cwd = "";
  let stack = new Stack("");
  let id = "";
  let before: string[] = [];

  beforeAll(async () => {
    cwd = newTempDir();
    stack = new Stack(join(cwd, "frameworks", "columns"));
    const { code, stderr } = await cli(["new-framework", "columns", "--yes"], { cwd });
    if (code !== 0) throw new Error(stderr);
    stack.useTestImages();
    await stack.ok("up", "-d", "--wait", "clickhouse");
    await sql(written("fill.sql"));
    before = await everything();
  });

  afterAll(async () => {
    await stack.remove();
    removeDir(cwd);
  });

  const sql = async (statements: string): Promise<string> => {
    const login = ["CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD"].flatMap((name) => [
      "-e",
      `${name}=${stack.env.get(name) ?? "langfuse"}`,
    ]);
    return stack.fed(statements, "exec", "-T", ...login, "clickhouse", "clickhouse-client");
  };

  /** Every definition, and what each table and view gives, by another hash than the scripts'. */
  const everything = async (): Promise<string[]> =>
    [await sql(written("definitions.sql")), await sql(await sql(written("contents.sql")))].flatMap((text) =>
      text.split("\n"),
    );

  const backup = async (...args: string[]): Promise<Outcome> => stack.script("backup.sh", ...args, "clickhouse");
  const inVolume = async (): Promise<string> =>
    stack.ok("exec", "-T", "clickhouse", "sh", "-c", "ls /var/lib/clickhouse/backups 2>/dev/null || true");
  const folder = (set: string): string => join(stack.dir, "backups", set);

  /** Changes a file of a set, and makes its manifest fit again. */
  const forge = (from: string, path: string, change: (text: string) => string): string => {
    const set = "20200101T000000Z";
    fs.removeSync(folder(set));
    fs.copySync(folder(from), folder(set));
    const file = join(folder(set), path);
    const old = sha256(fs.readFileSync(file));
    const size = fs.statSync(file).size;
    fs.writeFileSync(file, change(fs.readFileSync(file, "utf8")));
    const manifest = join(folder(set), "manifest.json");
    const text = fs
      .readFileSync(manifest, "utf8")
      .replaceAll(from, set)
      .replace(old, sha256(fs.readFileSync(file)))
      .replace(`"bytes": ${String(size)}`, `"bytes": ${String(fs.statSync(file).size)}`);
    fs.writeFileSync(manifest, text);
    fs.writeFileSync(join(folder(set), "manifest.sha256"), sha256(text));
    return set;
  };

  it("saves all of it while the server runs, and leaves nothing in its volume", async () => {
    const started = await docker("inspect", "--format", "{{.State.StartedAt}}", "columns_clickhouse");
    const { code, stdout, stderr } = await backup();
    expect([code, stderr.replaceAll(/^\{.*\}\n/gm, "")]).toEqual([0, ""]);
    id = stdout.trim();
    const said = backupManifest.parse(JSON.parse(fs.readFileSync(join(folder(id), "manifest.json"), "utf8")));
    expect(said.services["clickhouse"]?.counts).toEqual({
      "events.inner_view": 4,
      "events.observations": 200_000,
      "events.per_name": 102,
      "two\nlines.and\nthree": 1,
      "it's `odd` \\ 漢.a\tb ` ' \\ é": 2,
    });
    expect(said.services["clickhouse"]?.serverVersion).toMatch(/^26\./);
    expect(await inVolume()).toBe("");
    expect(await docker("inspect", "--format", "{{.State.StartedAt}}", "columns_clickhouse")).toBe(started);
    expect(await everything()).toEqual(before);
    expect((await stack.script("verify-backup.sh", id)).code).toBe(0);
  });

  it("brings all of it back after its volume was destroyed, and views go on", async () => {
    await stack.ok("down", "--volumes");
    const { code, stderr } = await stack.script("restore.sh", "--no-safety-set", "--no-start", id, "clickhouse");
    expect([code, stderr.replaceAll(/^\{.*\}\n/gm, "")]).toEqual([0, ""]);
    expect(await everything()).toEqual(before);
    expect(await inVolume()).toBe("");
    await sql("INSERT INTO events.observations (id, at, name) VALUES (900000, '2026-12-01 00:00:00', 'after')");
    expect(await sql("SELECT finalizeAggregation(seen) FROM events.per_name FINAL WHERE name = 'after'")).toBe("1\n");
    expect(await sql("SELECT sum(n) FROM events.inner_view WHERE day = '2026-12-01'")).toBe("1\n");
  });

  it("restores over what is there, which is saved first", async () => {
    await sql(
      "DROP TABLE events.named; ALTER TABLE events.observations DELETE WHERE id < 100 SETTINGS mutations_sync = 1",
    );
    const { code, stdout } = await stack.script("restore.sh", "--no-start", id, "clickhouse");
    expect(code).toBe(0);
    expect(await everything()).toEqual(before);
    const former = /the state before is set (\S+)/.exec(stdout)?.[1] ?? "";
    const said = backupManifest.parse(JSON.parse(fs.readFileSync(join(folder(former), "manifest.json"), "utf8")));
    expect(said.services["clickhouse"]?.counts?.["events.observations"]).toBe(199_901);
  });

  it("is compared row by row in a drill", async () => {
    const drill = await stack.script("verify-backup.sh", "--drill", id);
    expect([drill.code, drill.stderr.replaceAll(/^\{.*\}\n/gm, "")]).toEqual([0, ""]);
    const other = forge(id, "clickhouse/tables.tsv", (text) =>
      text.replace(/^(events\.observations\t\d+\t)\d/m, "$19"),
    );
    const found = await stack.script("verify-backup.sh", "--drill", other);
    expect([found.code, found.stderr]).toEqual([
      38,
      expect.stringContaining("the restored clickhouse differs from what was saved: events.observations"),
    ]);
    fs.removeSync(folder(other));
  });

  it("says what does not fit, is refused or is down, and changes nothing", async () => {
    const newer = forge(id, "clickhouse/databases", (text) => text);
    const manifest = join(folder(newer), "manifest.json");
    const text = fs.readFileSync(manifest, "utf8").replace('"serverVersion": "26.', '"serverVersion": "27.');
    fs.writeFileSync(manifest, text);
    fs.writeFileSync(join(folder(newer), "manifest.sha256"), sha256(text));
    const refused = await stack.script("restore.sh", "--no-start", newer, "clickhouse");
    expect([refused.code, refused.stderr]).toEqual([34, expect.stringContaining("it was saved from ClickHouse 27.")]);
    fs.removeSync(folder(newer));
    const env = join(stack.dir, ".env");
    const kept = fs.readFileSync(env, "utf8");
    fs.appendFileSync(env, "CLICKHOUSE_PASSWORD=wrong\n");
    expect((await backup()).code).toBe(26);
    fs.writeFileSync(env, kept);
    await stack.ok("stop", "clickhouse");
    expect((await backup()).code).toBe(25);
    await stack.ok("up", "-d", "--wait", "clickhouse");
    expect(await everything()).toEqual(before);
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("leaves no copy in the volume when it is ended by %s", async (signal) => {
    const { child, result } = start(join(stack.dir, "scripts/backup.sh"), ["clickhouse"], {
      cwd: "/",
      timeout: 120_000,
    });
    child.stderr?.on("data", (data) => {
      if (String(data).includes("saving `")) child.kill(signal);
    });
    const { code } = await result;
    expect(code).not.toBe(0);
    // What is killed cleans up when it runs the next time.
    if (signal === "SIGKILL") expect((await backup()).code).toBe(0);
    expect(await inVolume()).toBe("");
    expect(await docker("ps", "--all", "--quiet", "--filter", "label=framework-infra.client=columns")).toBe("");
    expect(fs.readdirSync(join(stack.dir, "backups")).filter((name) => !/^\d{8}T\d{6}Z$/.test(name))).toEqual([]);
  });
});
