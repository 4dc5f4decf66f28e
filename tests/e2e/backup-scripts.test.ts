import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { sha256 } from "../../src/lib/digest.ts";
import { newestSet } from "../../src/root/backup-sets.ts";
import { run, type Outcome } from "../helpers/cli.ts";
import { Workspace } from "../helpers/project-dir.ts";

/** What the emitted scripts do without an engine. tests/live/backup.test.ts has the rest. */
async function made(services = "qdrant,postgres"): Promise<{ work: Workspace; dir: string }> {
  const work = await new Workspace().make("crewai", services);
  return { work, dir: work.path("crewai") };
}

/** Runs functions of the scripts' library. */
async function library(dir: string, code: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const sources = ["common", "stack", "engine", "sets", "save"].map((name) => `. scripts/lib/${name}.sh`).join("\n");
  return run("bash", ["-euo", "pipefail", "-c", `STACK_DIR=$PWD\n${sources}\n${code}`], { cwd: dir, env });
}

/** A complete set as the scripts write it, but for what is in it. */
function set(dir: string, id: string, changes: Record<string, string> = {}): void {
  const values = { reason: "", complete: "true", services: "postgres", ...changes };
  const at = `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}T${id.slice(9, 11)}:${id.slice(11, 13)}:${id.slice(13, 15)}Z`;
  const text = `{
  "formatVersion": 1,
  "id": "${id}",
  "framework": "crewai",
  "created": "${at}",
  "program": "0.1.0",
  "reason": "${values.reason}",
  "complete": ${values.complete},
  "quiesced": true,
  "eventsAtRisk": 0,
  "seconds": 3,
  "services": {
    "${values.services}": {
      "image": "x",
      "serverVersion": "15.1",
      "files": [
      ],
      "counts": {
      }
    }
  }
}
`;
  const folder = join(dir, "backups", id);
  fs.outputFileSync(join(folder, "manifest.json"), text);
  fs.writeFileSync(join(folder, "manifest.sha256"), sha256(text));
}

const NAMES = ["backup.sh", "verify-backup.sh", "restore.sh", "list-backups.sh", "backup-status.sh", "recovery-kit.sh"];

describe("the scripts of a directory", () => {
  it("explain themselves, with every exit code", async () => {
    const { dir } = await made();
    for (const name of NAMES) {
      const { code, stdout, stderr } = await run(join(dir, "scripts", name), ["--help"], { cwd: "/" });
      expect([name, code, stderr]).toEqual([name, 0, ""]);
      expect(stdout).toMatch(new RegExp(`^Usage: scripts/${name}`));
      for (let exit = 20; exit <= 41; exit += 1) expect(stdout).toContain(` ${String(exit)} `);
    }
  });

  it("refuse what they do not know, as JSON too", async () => {
    const { dir } = await made();
    for (const name of NAMES) {
      const { code, stdout, stderr } = await run(join(dir, "scripts", name), ["--json", "--nope"]);
      expect([name, code, stderr]).toEqual([name, 20, expect.stringContaining("--nope")]);
      expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, error: { code: 20 } });
    }
    expect(await run(join(dir, "scripts/backup.sh"), ["mysql"])).toMatchObject({
      code: 20,
      stderr: expect.stringContaining("it has postgres qdrant") as string,
    });
    expect(await run(join(dir, "scripts/restore.sh"), ["../../etc"])).toMatchObject({ code: 20 });
    expect(await run(join(dir, "scripts/restore.sh"), ["20200101T000000Z"])).toMatchObject({ code: 31 });
  });

  it("make the same checksums with OpenSSL and without it, and use none that makes others", async () => {
    const { dir } = await made();
    fs.writeFileSync(join(dir, "data"), "some bytes");
    const code =
      'require_host; echo "$HAS_OPENSSL"; sum_of data; echo; sum_of /dev/stdin <data; echo; sum_of none || echo failed';
    const fake = join(dir, "bin");
    fs.outputFileSync(join(fake, "docker"), "#!/bin/sh\n", { mode: 0o755 });
    const env = { PATH: `${fake}:${process.env["PATH"] ?? ""}` };
    const lines = async (): Promise<string[]> => (await library(dir, code, env)).stdout.trim().split("\n");
    const expected = [sha256("some bytes"), sha256("some bytes"), "failed"];
    expect((await lines()).slice(1)).toEqual(expected);
    fs.outputFileSync(join(fake, "openssl"), "#!/bin/sh\necho 1234 *stdin\n", { mode: 0o755 });
    expect(await lines()).toEqual(["false", ...expected]);
    fs.outputFileSync(join(fake, "openssl"), `#!/bin/sh\nsha256sum | sed 's/ .*/ *stdin/'\n`, { mode: 0o755 });
    expect(await lines()).toEqual(["true", ...expected]);
  });

  it("take the same services whatever the stack, and what they store their data in", async () => {
    const { dir } = await made("langfuse,qdrant");
    const chosen = async (...args: string[]): Promise<string> =>
      (await library(dir, `with_stores ${args.join(" ")}`)).stdout.trim();
    expect(await chosen()).toBe("clickhouse postgres qdrant seaweedfs");
    expect(await chosen("langfuse")).toBe("clickhouse postgres seaweedfs");
    expect(await chosen("qdrant")).toBe("qdrant");
    expect(await library(dir, "with_stores valkey")).toMatchObject({ code: 20 });
  });
});

describe("a value of .env", () => {
  it.each<[string, string | number]>([
    ["X=abc", "abc"],
    ["X = abc  # comment", "abc"],
    ["export X=abc", "abc"],
    ["X=a#b", "a#b"],
    ["X=a b", "a b"],
    ["X='a $b # c'", "a $b # c"],
    ['X="a b" # c', "a b"],
    ["X=one\nX=two", "two"],
    ["X=abc\r", "abc"],
    ["#X=abc", 23],
    ["XX=abc", 23],
    ["X=", 23],
    ["X=$Y", 23],
    ["X='a", 23],
    ['X="a\\"b"', 23],
    ["X=`touch pwned`$(touch pwned)", 23],
    ["X=`touch pwned`", "`touch pwned`"],
  ])("%j is read as Compose reads it, and never executed", async (text, expected) => {
    const { dir } = await made("postgres");
    fs.writeFileSync(join(dir, ".env"), `A=1\n${text}\nZ=1`);
    const { code, stdout } = await library(dir, "env_value X");
    expect(typeof expected === "number" ? code : stdout).toBe(expected);
    expect(fs.existsSync(join(dir, "pwned"))).toBe(false);
  });
});

describe("sets", () => {
  it("are kept by last, day, week and month, and by nothing else", async () => {
    const { dir } = await made("postgres");
    const day = (back: number): string => {
      const at = new Date(Date.UTC(2026, 10, 27) - back * 86_400_000).toISOString().replaceAll("-", "").slice(0, 8);
      return `${at}T021500Z`;
    };
    const ids = Array.from({ length: 400 }, (_, back) => day(back));
    const { stdout } = await library(
      dir,
      `KEEP_LAST=2 KEEP_DAILY=5 KEEP_WEEKLY=4 KEEP_MONTHLY=3\nkept_of ${ids.join(" ")}`,
    );
    // 27 November 2026 is a Friday: the newest sets of the weeks before are those of the Sundays.
    expect(stdout.trim().split(" ")).toEqual(
      [0, 1, 2, 3, 4]
        .map(day)
        .concat(["20261122", "20261115", "20261108", "20261031", "20260930"].map((date) => `${date}T021500Z`))
        .filter((id, index, all) => all.indexOf(id) === index),
    );
  });

  it("are deleted only when they are whole, of the same kind, and not from the future", async () => {
    const { dir } = await made("postgres");
    const old = Array.from({ length: 12 }, (_, n) => `202601${String(n + 10)}T000000Z`);
    for (const id of old) set(dir, id);
    set(dir, "20250101T000000Z", { reason: "before the restore of 20260110T000000Z" });
    set(dir, "20250102T000000Z", { services: "qdrant" });
    set(dir, "20991231T000000Z");
    set(dir, "20260109T000000Z");
    fs.appendFileSync(join(dir, "backups/20260109T000000Z/manifest.json"), " ");
    fs.outputFileSync(join(dir, "backups/20260108T000000Z/data"), "no manifest");
    fs.outputFileSync(join(dir, "backups/mine/data"), "mine");
    const settings = "KEEP_LAST=1 KEEP_DAILY=2 KEEP_WEEKLY=0 KEEP_MONTHLY=0";
    const { code } = await library(dir, `${settings}\ndelete_old_sets 20260121T000000Z`);
    expect(code).toBe(0);
    expect(fs.readdirSync(join(dir, "backups")).toSorted()).toEqual([
      "20250101T000000Z",
      "20250102T000000Z",
      "20260108T000000Z",
      "20260109T000000Z",
      "20260120T000000Z",
      "20260121T000000Z",
      "20991231T000000Z",
      "mine",
    ]);
  });

  it("are watched: none, one that is too old, one from the future, one that is partial, a run that was killed", async () => {
    const { dir } = await made("postgres");
    const status = async (...args: string[]): Promise<[number | null, string]> => {
      const { code, stdout } = await run(join(dir, "scripts/backup-status.sh"), args);
      return [code, stdout];
    };
    const idAt = (hours: number): string =>
      new Date(Date.now() - hours * 3_600_000).toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
    expect(await status()).toEqual([1, "problem: there is no complete set: run scripts/backup.sh\n"]);
    set(dir, idAt(30));
    expect(await status()).toEqual([1, expect.stringContaining("30 hours old")]);
    expect(await status("--max-age", "31")).toEqual([0, expect.stringContaining("minutes old")]);
    set(dir, idAt(1), { complete: "false" });
    expect((await status())[0]).toBe(1);
    set(dir, idAt(2));
    expect((await status())[0]).toBe(0);
    fs.writeFileSync(join(dir, "backups/.resume"), "unpause langfuse\n");
    expect(await status()).toEqual([1, expect.stringContaining("docker compose unpause langfuse")]);
    fs.removeSync(join(dir, "backups/.resume"));
    fs.writeFileSync(join(dir, "backups/.restoring"), "20260101T000000Z\n");
    expect(await status("--json")).toEqual([1, expect.stringContaining("scripts/restore.sh 20260101T000000Z again")]);
    fs.removeSync(join(dir, "backups/.restoring"));
    set(dir, idAt(-5));
    expect(await status()).toEqual([1, expect.stringContaining("future")]);
  });

  it("are locked for as long as the process lives, and no longer", async () => {
    const { dir } = await made("postgres");
    const lock = join(dir, "backups/.lock/owner");
    expect(await library(dir, "take_lock; cat backups/.lock/owner; release_lock")).toMatchObject({ code: 0 });
    expect(fs.existsSync(join(dir, "backups/.lock"))).toBe(false);
    // This process, which lives; then its number at another time; then nobody.
    const mine = (await library(dir, `process_of ${String(process.pid)}`)).stdout;
    fs.outputFileSync(lock, mine);
    expect(await library(dir, "take_lock")).toMatchObject({ code: 24 });
    for (const owner of [`${String(process.pid)} 1\n`, "999999999 1\n", ""]) {
      fs.outputFileSync(lock, owner);
      expect(await library(dir, "take_lock; release_lock")).toMatchObject({ code: 0 });
    }
  });

  it("lie where framework.yaml says, and git leaves them alone", async () => {
    const { work, dir } = await made("postgres");
    work.edit("crewai/framework.yaml", /directory: .*/, "directory: my sets/here");
    await work.ok("regenerate");
    expect((await library(dir, 'printf %s "$SETS"')).stdout).toBe(join(dir, "my sets/here"));
    expect(work.read("crewai/.gitignore")).toContain("\n/my sets/here/\n");
    for (const bad of ["../out", "a/../../b", "", "a$(x)", "/srv/../etc"]) {
      work.edit("crewai/framework.yaml", /directory: .*/, `directory: "${bad}"`);
      expect([bad, (await work.run("regenerate")).code]).toEqual([bad, 2]);
    }
  });

  it.each<[string, string | undefined, (dir: string) => void, string?]>([
    ["none", undefined, () => undefined],
    [
      "the newest",
      "20261102T000000Z",
      (dir) => {
        set(dir, "20261101T000000Z");
        set(dir, "20261102T000000Z");
      },
    ],
    [
      "none that holds only a part of the stack, or that a restore made, or that is not whole, or odd",
      "20261101T000000Z",
      (dir) => {
        set(dir, "20261101T000000Z");
        set(dir, "20261102T000000Z", { complete: "false" });
        set(dir, "20261103T000000Z", { reason: "before-restore" });
        fs.outputFileSync(join(dir, "backups/20261104T000000Z.partial/manifest.json"), "{}");
        fs.outputFileSync(join(dir, "backups/20261105T000000Z/other"), "");
        fs.outputFileSync(join(dir, "backups/20261106T000000Z/manifest.json"), "no JSON");
        fs.outputFileSync(join(dir, "backups/20261107T000000Z"), "a file");
      },
    ],
    [
      "none that was not copied",
      "20261101T000000Z",
      (dir) => {
        for (const day of ["01", "02"]) set(dir, `202611${day}T000000Z`);
        fs.outputFileSync(join(dir, "hooks/copy"), "", { mode: 0o755 });
        fs.writeFileSync(join(dir, "backups/.copied"), "20261101T000000Z\n");
      },
    ],
    [
      "none before the first copy",
      undefined,
      (dir) => {
        set(dir, "20261101T000000Z");
        fs.outputFileSync(join(dir, "hooks/copy"), "", { mode: 0o755 });
      },
    ],
    [
      "all, where it is not known what was copied",
      "20261101T000000Z",
      (dir) => {
        set(dir, "20261101T000000Z");
        fs.outputFileSync(join(dir, "hooks/copy"), "", { mode: 0o755 });
        fs.writeFileSync(join(dir, "backups/.copied"), "");
      },
    ],
    [
      "all, where hooks is a file",
      "20261101T000000Z",
      (dir) => {
        set(dir, "20261101T000000Z");
        fs.removeSync(join(dir, "hooks"));
        fs.writeFileSync(join(dir, "hooks"), "");
      },
    ],
    [
      "only what is in the repository, with restic",
      "20261101T000000Z",
      (dir) => {
        set(dir, "20261101T000000Z");
        set(dir, "20261102T000000Z");
        fs.outputFileSync(join(dir, "backups/20261102T000000Z/postgres/dump"), "x");
      },
      "restic",
    ],
  ])("the newest that counts is the same for scripts and reports: %s", async (_, wanted, arrange, driver = "dir") => {
    const { work, dir } = await made("postgres");
    if (driver === "restic") {
      work.edit("crewai/framework.yaml", /driver: dir\b.*/, "driver: restic\n  repository: /srv/restic");
      await work.ok("regenerate");
    }
    arrange(dir);
    expect((await library(dir, "newest_backup")).stdout).toBe(wanted ?? "");
    expect(newestSet(dir, { directory: "backups", driver: driver as "dir" })?.id).toBe(wanted);
  });
});
