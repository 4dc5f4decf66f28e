import fs from "fs-extra";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { sha256 } from "../../src/lib/digest.ts";
import { restoreIntoDocument } from "../../src/report/backup-documents.ts";
import { asSuperuser, fillWithOddData } from "../helpers/backup-data.ts";
import { cli, start } from "../helpers/cli.ts";
import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

/**
 * Backups and restore drills as a schedule runs them, of a real PostgreSQL and of Qdrant's stand-in. Cron, its crontab
 * and its environment are real; the mount namespace keeps them off this host's own.
 */
describe.skipIf(engineProblem() !== undefined)("a schedule of backups and drills", () => {
  let cwd = "";
  let stack = new Stack("");
  let monitor: Server;
  const pings: string[] = [];

  beforeAll(async () => {
    cwd = newTempDir();
    // What cron and systemd take for something else.
    stack = new Stack(join(cwd, "it's 100% mine", "archive"));
    const flags = ["--yes", "--services", "qdrant,postgres", "--root", "it's 100% mine"];
    const { code, stderr } = await cli(["new-framework", "archive", ...flags], { cwd });
    if (code !== 0) throw new Error(stderr);
    stack.useTestImages();
    await stack.ok("up", "-d", "--wait");
    await fillWithOddData(stack, 20_000);
    monitor = createServer((request, response) => {
      pings.push(request.url ?? "");
      response.end("OK");
    });
    await new Promise<void>((resolve) => monitor.listen(0, "127.0.0.1", resolve));
    const address = monitor.address();
    const url = `http://127.0.0.1:${String(typeof address === "object" ? address?.port : "")}`;
    fs.mkdirSync(join(cwd, "metrics"));
    fs.appendFileSync(
      join(stack.dir, ".env"),
      `BACKUP_PING_URL=${url}/backup\nDRILL_PING_URL=${url}/drill\nBACKUP_METRICS_DIR=${join(cwd, "metrics")}\n`,
    );
    hook("copy", `mkdir -p '${cwd}/elsewhere' && cp -r "$1" '${cwd}/elsewhere/'`);
    hook("fetch", `cp -r '${cwd}/elsewhere'/"$1"/. "$2"`);
    hook("failed", `echo "$RUN $FRAMEWORK $EXIT_CODE" >> '${cwd}/failures'`);
  });

  afterAll(async () => {
    monitor.close();
    await stack.remove();
    removeDir(cwd);
  });

  function hook(name: string, line: string): void {
    fs.writeFileSync(join(stack.dir, "hooks", name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  }
  const sets = (): string[] => fs.readdirSync(join(stack.dir, "backups")).filter((name) => /^\d{8}T\d{6}Z$/.test(name));
  const drills = (): string[] => {
    const path = join(stack.dir, "backups/.drills");
    return fs.existsSync(path) ? fs.readFileSync(path, "utf8").trim().split("\n") : [];
  };
  const metrics = (kind: string): string =>
    fs.readFileSync(join(cwd, "metrics", `framework-infra-archive-${kind}.prom`), "utf8");

  /** What no drill may leave, and that it did not touch the stack itself. */
  async function requireOnlyTheStack(): Promise<void> {
    const names = async (...args: string[]): Promise<string[]> => (await docker(...args)).trim().split("\n").toSorted();
    expect(await names("ps", "--all", "--format", "{{.Names}}")).toEqual(["archive_postgres", "archive_qdrant"]);
    const volumes = await names("volume", "ls", "--format", "{{.Name}}", "--filter", "name=archive");
    expect(volumes).toEqual(["archive_postgres_data", "archive_qdrant_data", "archive_qdrant_snapshots"]);
    const networks = await names("network", "ls", "--format", "{{.Name}}", "--filter", "name=archive");
    expect(networks).toEqual(["archive_internal", "archive_network", "archive_qdrant"]);
    const strays = fs
      .readdirSync(join(stack.dir, "backups"))
      .filter((name) => !/^\d{8}T\d{6}Z$|^\.(?:drills|copied)$/.test(name));
    expect(strays).toEqual([]);
  }

  it("runs from cron's own environment: saves, copies, restores what was saved, and tells about it", async () => {
    const first = await stack.script("backup.sh", "--quiet");
    expect([first.code, first.stderr]).toEqual([0, ""]);
    pings.length = 0;
    // The next whole minute that is more than a few seconds away; a drill and a backup at once.
    const due = new Date(Date.now() + 65_000).toISOString().slice(11, 16);
    for (const kind of ["backup", "drill"]) {
      const path = join(stack.dir, "schedule", `${kind}.timer`);
      const text = fs.readFileSync(path, "utf8");
      fs.writeFileSync(path, text.replace(/^OnCalendar=.*$/m, `OnCalendar=*-*-* ${due}:00 UTC`));
    }
    const inside = `
      set -e
      mount -t tmpfs -o mode=1730,gid=$(getent group crontab | cut -d: -f3) none /var/spool/cron/crontabs
      mount -t tmpfs none /etc/cron.d
      mount --bind /dev/null /etc/crontab
      echo "0 5 * * * echo mine # kept" | crontab -
      "$0/schedule/install.sh" --cron >&2
      "$0/schedule/install.sh" --cron >&2
      crontab -l
      exec cron -f
    `;
    const cron = start("unshare", ["--mount", "sh", "-c", inside, stack.dir], { cwd: "/", timeout: 280_000 });
    const isDone = (): boolean => sets().length > 1 && pings.includes("/drill") && pings.includes("/backup");
    for (let waited = 0; waited < 260 && !isDone() && !fs.existsSync(join(cwd, "failures")); waited++)
      await new Promise((resolve) => setTimeout(resolve, 1000));
    cron.child.kill("SIGTERM");
    const { stdout, stderr } = await cron.result;
    const lines = stdout.trim().split("\n");
    expect([lines.length, lines[0], stderr]).toEqual([
      3,
      "0 5 * * * echo mine # kept",
      "the schedule of archive is installed (cron)\n".repeat(2),
    ]);
    expect(fs.existsSync(join(cwd, "failures"))).toBe(false);
    expect(pings.toSorted()).toEqual(["/backup", "/backup/start", "/drill", "/drill/start"]);
    expect(sets()).toHaveLength(2);
    expect(fs.readdirSync(join(cwd, "elsewhere"))).toEqual(sets());
    // The set that was the newest when it began.
    expect(drills()).toEqual([expect.stringMatching(new RegExp(`^\\d{8}T\\d{6}Z ${first.stdout.trim()} \\d+$`))]);
    expect(metrics("backup")).toMatch(/^backup_last_run_exit_code\{framework="archive"\} 0$/m);
    expect(metrics("drill")).toMatch(/^backup_drill_last_success_duration_seconds\{framework="archive"\} [1-9]\d*$/m);
    const status = await stack.script("backup-status.sh");
    expect([status.code, status.stdout]).toEqual([0, expect.stringMatching(/^last drill: set \S+ restored in \d+ s/m)]);
    await requireOnlyTheStack();
  });

  it("cleans up after a drill that was killed, and says what differs from what was saved", async () => {
    const killed = start(join(stack.dir, "scripts/verify-backup.sh"), ["--drill"]);
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    killed.child.kill("SIGKILL");
    await killed.result;
    expect(await docker("ps", "--all", "--quiet", "--filter", "name=archive__drill")).not.toBe("");
    // As if a restore changed one value of 200,000 rows: no count shows it.
    const part = join(stack.dir, "scripts/services/postgres.sh");
    const text = fs.readFileSync(part, "utf8");
    const update =
      "DO $$BEGIN UPDATE big SET name = %s WHERE id = 777; EXCEPTION WHEN undefined_table THEN NULL; END$$;";
    const broken = text.replace(String.raw`printf 'ANALYZE;\n'`, () => `printf '${update}' "''"`);
    expect(broken).not.toBe(text);
    fs.writeFileSync(part, broken);
    const { code, stdout, stderr } = await stack.script("verify-backup.sh", "--drill");
    fs.writeFileSync(part, text);
    expect([code, stdout, stderr]).toEqual([
      38,
      "",
      expect.stringContaining("archive differs from what was saved: COPY public.big "),
    ]);
    expect(fs.readFileSync(join(cwd, "failures"), "utf8")).toBe("drill archive 38\n");
    expect(pings.at(-1)).toBe("/drill/38");
    expect(metrics("drill")).toMatch(/^backup_drill_last_run_exit_code\{framework="archive"\} 38$/m);
    expect(drills()).toHaveLength(1);
    await requireOnlyTheStack();
  });

  it("drills with the copy elsewhere, and sees a point that differs", async () => {
    // Of Qdrant alone, as this is about its points.
    const newest = (await stack.script("backup.sh", "qdrant")).stdout.trim();
    const copy = join(cwd, "elsewhere", newest);
    // The copy says that another content was saved: this is not the damage that checksums find.
    const hashes = join(copy, "qdrant/hashes.tsv");
    const manifest = join(copy, "manifest.json");
    const before = fs.readFileSync(hashes, "utf8");
    const after = before.replace(/^1\t../, "1\t__");
    expect(after).not.toBe(before);
    fs.writeFileSync(hashes, after);
    fs.writeFileSync(manifest, fs.readFileSync(manifest, "utf8").replace(sha256(before), sha256(after)));
    fs.writeFileSync(join(copy, "manifest.sha256"), sha256(fs.readFileSync(manifest, "utf8")));
    const { code, stderr } = await stack.script("verify-backup.sh", "--drill", "--from-copy", newest);
    expect([code, stderr]).toEqual([38, expect.stringContaining("the points of the restored collection")]);
    // The set on this host is another one.
    expect(await stack.script("verify-backup.sh", newest, "--files-only")).toMatchObject({ code: 0 });
    await requireOnlyTheStack();
  });

  it.each([
    ["of the stack itself", "name: archive_postgres_data\n    external: true", "the volume archive_postgres_data"],
    [
      "that stands for a directory",
      "driver: local\n    driver_opts: {type: none, o: bind, device: /tmp}",
      "what the volume archive__drill_postgres_data stands for",
    ],
  ])("makes no second stack that would use a volume %s", async (_, lines, said) => {
    const override = join(stack.dir, "compose.override.yaml");
    fs.writeFileSync(override, `volumes:\n  postgres_data:\n    ${lines}\n`);
    const id = (await docker("ps", "--quiet", "--filter", "name=archive_postgres")).trim();
    const { code, stderr } = await stack.script("verify-backup.sh", "--drill", sets()[0] ?? "");
    fs.removeSync(override);
    expect([code, stderr]).toEqual([34, expect.stringContaining(`would use ${said}`)]);
    expect((await docker("ps", "--quiet", "--filter", "name=archive_postgres")).trim()).toBe(id);
    expect(await asSuperuser(stack, "archive", "SELECT count(*) FROM big")).toBe("20000\n");
    await requireOnlyTheStack();
  });

  it("restores beside: a second stack on free ports, which goes when it is told to", async () => {
    await asSuperuser(stack, "archive", "DELETE FROM big WHERE id > 10");
    const [, newest = ""] = sets();
    const { code, stdout, stderr } = await stack.script(
      "restore.sh",
      "--into",
      "old_times",
      newest,
      "postgres",
      "--json",
    );
    expect([code, stderr.replaceAll(/^\{.*\}\n/gm, "")]).toEqual([0, ""]);
    const said = restoreIntoDocument.parse(JSON.parse(stdout));
    expect(said).toMatchObject({ into: "old_times", ports: { postgres: expect.stringMatching(/^127\.0\.0\.1:\d+$/) } });
    const rows = ["psql", "-h", "127.0.0.1", "-U", "postgres", "-d", "archive", "-Atc", "SELECT count(*) FROM big"];
    const signedIn = ["exec", "-e", `PGPASSWORD=${stack.env.get("POSTGRES_PASSWORD") ?? ""}`];
    expect(await docker(...signedIn, "old_times_postgres", ...rows)).toBe("20000\n");
    expect(await asSuperuser(stack, "archive", "SELECT count(*) FROM big")).toBe("10\n");
    expect((await stack.script("restore.sh", "--into", "old_times", newest)).code).toBe(35);
    expect((await stack.script("restore.sh", "--remove", "archive")).code).toBe(20);
    expect(await stack.script("restore.sh", "--remove", "old_times")).toMatchObject({ code: 0 });
    await requireOnlyTheStack();
  });
});
