import fs from "fs-extra";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { asSuperuser } from "../helpers/backup-data.ts";
import { cli, run, start } from "../helpers/cli.ts";
import { engineProblem, Stack } from "../helpers/engine.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

/** Sets of a real PostgreSQL in a real restic repository (Debian's restic 0.14), with the host lost in between. */
describe.skipIf(engineProblem() !== undefined)("backups in a restic repository", () => {
  let cwd = "";
  let stack = new Stack("");

  beforeAll(async () => {
    cwd = newTempDir();
    stack = new Stack(join(cwd, "frameworks", "vault"));
    const answers = {
      name: "vault",
      services: ["postgres"],
      backup: { driver: "restic", keep: { last: 2, daily: 0 } },
    };
    Object.assign(answers.backup, { repository: `${cwd}/elsewhere` });
    Object.assign(answers.backup.keep, { weekly: 0, monthly: 0 });
    const { code, stderr } = await cli(["new-framework", "--answers", "-", "--yes"], {
      cwd,
      input: JSON.stringify(answers),
    });
    if (code !== 0) throw new Error(stderr);
    stack.useTestImages();
    await stack.ok("up", "-d", "--wait");
    await asSuperuser(stack, "vault", "CREATE TABLE t AS SELECT n, md5(n::text) AS x FROM generate_series(1, 5000) n");
  });

  afterAll(async () => {
    await stack.remove();
    removeDir(cwd);
  });

  const here = (path: string): string => join(stack.dir, path);
  const ended = async (name: string, ...args: string[]): Promise<[number | null, string]> => {
    const { code, stderr } = await stack.script(name, ...args);
    return [code, /^error: (.*)$/m.exec(stderr)?.[1] ?? ""];
  };
  const backup = async (): Promise<string> => {
    const { code, stdout, stderr } = await stack.script("backup.sh", "--quiet");
    expect([code, stderr]).toEqual([0, ""]);
    return stdout.trim();
  };
  const restic = async (...args: string[]): Promise<string> => {
    const env = { RESTIC_REPOSITORY: join(cwd, "elsewhere"), RESTIC_PASSWORD_FILE: here(".restic-password") };
    const { code, stdout, stderr } = await run("restic", args, { env });
    if (code !== 0) throw new Error(stderr);
    return stdout;
  };
  let id = "";

  it("makes the repository only when it is asked to, and says what is wrong with it", async () => {
    expect(await ended("backup.sh")).toEqual([23, expect.stringContaining("the password of the restic repository")]);
    fs.writeFileSync(here(".restic-password"), "typed\n", { mode: 0o600 });
    expect(await ended("backup.sh")).toEqual([40, expect.stringContaining("there is no restic repository at")]);
    expect(fs.existsSync(join(cwd, "elsewhere"))).toBe(false);
    fs.removeSync(here(".restic-password"));
    expect(await ended("backup.sh", "--init")).toEqual([0, ""]);
    expect(fs.statSync(here(".restic-password")).mode & 0o777).toBe(0o600);
    expect(fs.readFileSync(here(".restic-password"), "utf8")).toMatch(/^[0-9a-f]{64}$/);
    const password = fs.readFileSync(here(".restic-password"));
    fs.writeFileSync(here(".restic-password"), "another\n");
    expect(await ended("backup.sh")).toEqual([26, expect.stringContaining("refuses the password")]);
    fs.writeFileSync(here(".restic-password"), password);
    expect(fs.readdirSync(here("backups"))).toEqual([]);
  });

  it("stores a set with .env, keeps its manifest here, and restores it on a host that lost everything", async () => {
    id = await backup();
    expect(fs.readdirSync(here(`backups/${id}`)).toSorted()).toEqual(["manifest.json", "manifest.sha256"]);
    expect(await stack.script("verify-backup.sh")).toMatchObject({
      code: 0,
      stdout: `set ${id} is whole and can be read\n`,
    });
    const env = fs.readFileSync(here(".env"), "utf8");
    await stack.ok("down", "--volumes");
    fs.removeSync(here(".env"));
    fs.removeSync(here("backups"));
    expect((await stack.script("list-backups.sh")).stdout).toMatch(new RegExp(`^${id} .*in the restic repository`));
    expect(await ended("restore.sh", id, "--with-env", "--no-safety-set")).toEqual([0, ""]);
    expect(fs.readFileSync(here(".env"), "utf8")).toBe(env);
    expect(fs.statSync(here(".env")).mode & 0o777).toBe(0o600);
    expect(await asSuperuser(stack, "vault", "SELECT count(*), max(x) FROM t")).toMatch(/^5000\|/);
    expect(fs.readdirSync(here(`backups/${id}`)).toSorted()).toEqual(["manifest.json", "manifest.sha256"]);
    expect(await ended("restore.sh", "20200101T000000Z")).toEqual([31, "the restic repository has no such set"]);
    expect(await ended("restore.sh", id, "--with-env")).toEqual([20, "there is an .env already"]);
  });

  it("stores later what could not be stored, says when the repository is locked, and keeps what it is told to", async () => {
    fs.moveSync(join(cwd, "elsewhere"), join(cwd, "away"));
    expect((await ended("backup.sh"))[0]).toBe(40);
    fs.moveSync(join(cwd, "away"), join(cwd, "elsewhere"));
    // restic could not read a file: it ends with 3, and there is a snapshot without that file.
    const fake = join(cwd, "bin/restic");
    const real = (await run("sh", ["-c", "command -v restic"])).stdout.trim();
    const lines = [
      "#!/bin/sh",
      `if [ "$1" = backup ]; then for last; do :; done; rm "$last/framework.yaml"; '${real}' "$@"; exit 3; fi`,
      `exec '${real}' "$@"`,
    ];
    fs.outputFileSync(fake, `${lines.join("\n")}\n`, { mode: 0o755 });
    const path = `${join(cwd, "bin")}:${process.env["PATH"] ?? ""}`;
    const torn = await run(here("scripts/backup.sh"), ["--quiet"], { env: { PATH: path }, timeout: 120_000 });
    expect([torn.code, torn.stdout]).toEqual([39, ""]);
    const [, tornId = ""] = fs.readdirSync(here("backups")).toSorted();
    expect(fs.readdirSync(here(`backups/${tornId}`))).toContain("postgres");
    expect(await restic("snapshots", "--json")).not.toContain(tornId);
    fs.copySync(here("framework.yaml"), here(`backups/${tornId}/framework.yaml`));
    // A run of somebody else's that is not over: old sets cannot be deleted meanwhile.
    const fifo = join(cwd, "fifo");
    await run("mkfifo", [fifo]);
    const env = { RESTIC_REPOSITORY: join(cwd, "elsewhere"), RESTIC_PASSWORD_FILE: here(".restic-password") };
    const other = start("sh", ["-c", `exec restic backup --quiet --stdin <'${fifo}'`], { env, timeout: 120_000 });
    const held = fs.openSync(fifo, "w");
    for (let waited = 0; waited < 100 && (await restic("list", "locks", "--no-lock")) === ""; waited++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const locked = await run(here("scripts/backup.sh"), ["--quiet"], {
      env: { RESTIC_LOCK_SECONDS: "1" },
      timeout: 120_000,
    });
    expect([locked.code, locked.stderr]).toEqual([41, expect.stringContaining("is locked by another run")]);
    fs.closeSync(held);
    await other.result;
    // It has stored the torn one, which was whole here, and its own.
    const second = fs.readdirSync(here("backups")).toSorted().at(-1) ?? "";
    const known = await restic("snapshots", "--json", "--host", "vault");
    expect([known.includes(tornId), known.includes(second)]).toEqual([true, true]);
    const third = await backup();
    const stored = await restic("snapshots", "--json", "--host", "vault");
    expect(
      [...stored.matchAll(/"(\d{8}T\d{6}Z)"/g)].map(([, name = ""]) => name).toSorted((a, b) => a.localeCompare(b)),
    ).toEqual([second, third]);
    expect(fs.readdirSync(here("backups")).toSorted()).toEqual([second, third]);
    expect(await stack.script("restore.sh", id)).toMatchObject({ code: 31 });
  });

  it("says what must be kept elsewhere, and gives it to a pipe only", async () => {
    const plain = await stack.script("recovery-kit.sh");
    expect(plain.stdout).toContain("- .restic-password\n");
    const password = fs.readFileSync(here(".restic-password"), "utf8");
    expect(plain.stdout).not.toContain(password);
    expect((await stack.script("recovery-kit.sh", "--with-secrets")).stdout).toContain(password);
    const terminal = await run("script", ["-qec", `'${here("scripts/recovery-kit.sh")}' --with-secrets`, "/dev/null"]);
    expect(terminal.code).toBe(20);
    expect(terminal.stdout).not.toContain(password);
  });
});
