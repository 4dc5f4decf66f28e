import fs from "fs-extra";
import { execFileSync } from "node:child_process";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { sha256 } from "../../src/lib/digest.ts";
import { backupManifest } from "../../src/report/backup-documents.ts";
import { isFull } from "../helpers/arbitrary.ts";
import {
  addLargeCollection,
  asSuperuser,
  collectionsOf,
  fillWithOddData,
  fingerprint,
} from "../helpers/backup-data.ts";
import { cli, run, start, type Outcome } from "../helpers/cli.ts";
import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

/**
 * Backups of a real PostgreSQL and of Qdrant's stand-in (its snapshots are JSON: they prove the way, not that upstream
 * reads them). The stack lies in a path with spaces.
 */
describe.skipIf(engineProblem() !== undefined)("a backup of PostgreSQL and Qdrant", () => {
  let cwd = "";
  let stack = new Stack("");
  let id = "";
  let before: string[] = [];
  let beforeInSql: string[] = [];

  beforeAll(async () => {
    cwd = newTempDir();
    stack = new Stack(join(cwd, "my frameworks", "archive"));
    const flags = ["--yes", "--services", "qdrant,postgres", "--root", "my frameworks"];
    const { code, stderr } = await cli(["new-framework", "archive", ...flags], { cwd });
    if (code !== 0) throw new Error(stderr);
    stack.useTestImages();
    await stack.ok("up", "-d", "--wait");
    await fillWithOddData(stack);
    await addLargeCollection(stack);
    before = await everything();
    beforeInSql = await fingerprint(stack, "archive");
  });

  afterAll(async () => {
    await stack.remove();
    removeDir(cwd);
  });

  const qdrant = (...request: Parameters<Stack["qdrant"]>): ReturnType<Stack["qdrant"]> => stack.qdrant(...request);

  /** All that is in both stores. */
  const everything = async (): Promise<string[]> => [
    ...(await fingerprint(stack, "archive")),
    ...(await asSuperuser(stack, "odd 'name/é", "SELECT count(*), sum(n) FROM t")).split("\n"),
    ...(await collectionsOf(stack)),
  ];

  const backup = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await stack.script("backup.sh", ...args);
    if (code !== 0) throw new Error(`backup.sh ended with ${String(code)}: ${stderr}`);
    return stdout.trim().split("\n").at(-1) ?? "";
  };
  const sets = (): string => join(stack.dir, "backups");
  const manifest = (set: string): string => fs.readFileSync(join(sets(), set, "manifest.json"), "utf8");

  /** What no run may leave: an unfinished set, the lock, notes, a client's container. */
  async function requireNothingLeft(): Promise<void> {
    expect(fs.readdirSync(sets()).filter((name) => !/^\d{8}T\d{6}Z$/.test(name))).toEqual([]);
    expect(await docker("ps", "--all", "--quiet", "--filter", "label=framework-infra.client")).toBe("");
    const states = await docker("ps", "--all", "--format", "{{.Names}} {{.Status}}", "--filter", "name=archive_");
    expect(
      states
        .trim()
        .split("\n")
        .map((line) => line.replace(/ Up .*\((.*)\)$/, " $1"))
        .toSorted(),
    ).toEqual(["archive_postgres healthy", "archive_qdrant healthy"]);
  }

  it("saves all of it, and says what it holds", async () => {
    id = await backup();
    expect(id).toMatch(/^\d{8}T\d{6}Z$/);
    const said = backupManifest.parse(JSON.parse(manifest(id)));
    expect(said).toMatchObject({
      formatVersion: 1,
      id,
      framework: "archive",
      complete: true,
      quiesced: true,
      eventsAtRisk: 0,
    });
    expect(said.services["postgres"]?.counts).toMatchObject({
      "archive: public.big": 200_000,
      'archive: Näm e.od"d \\t': 10,
      "archive: public.parts_2": 51,
      "archive: large objects": 1,
      "odd 'name/é: public.t": 3,
    });
    expect(said.services["qdrant"]?.counts).toEqual({ kept: 20, "käse & brot 漢": 3, empty: 0, large: 40 });
    const snapshots = fs.readdirSync(join(sets(), id, "qdrant")).filter((name) => name.endsWith(".snapshot"));
    const sizes = snapshots.map((name) => fs.statSync(join(sets(), id, "qdrant", name)).size);
    expect(Math.max(...sizes)).toBeGreaterThan(32 * 2 ** 20);
    expect(said.services["postgres"]?.serverVersion).toMatch(/^15\./);
    // No password, not even as a hash, and nobody else may read it.
    const roles = fs.readFileSync(join(sets(), id, "postgres/roles.sql"), "utf8");
    expect(roles).not.toMatch(/PASSWORD|SCRAM/);
    const modes = fs
      .readdirSync(sets(), { recursive: true })
      .map((path) => fs.statSync(join(sets(), String(path))).mode & 0o077);
    expect(new Set(modes)).toEqual(new Set([0]));
    expect((await qdrant("GET", "/collections/kept/snapshots")).result).toEqual([]);
    await requireNothingLeft();
    expect(await stack.script("verify-backup.sh", id)).toMatchObject({
      code: 0,
      stdout: `set ${id} is whole and can be read\n`,
    });
    expect((await stack.script("list-backups.sh")).stdout).toMatch(
      new RegExp(`^${id} +\\d+ MiB +\\d+ s  postgres qdrant \\n$`),
    );
    expect(await stack.script("backup-status.sh")).toMatchObject({ code: 0 });
  });

  // The other round of the gate is the whole stack's, in crewai.test.ts.
  it.each(Array.from({ length: isFull ? 10 : 1 }, (_, round) => round + 1))(
    "brings all of it back after the volumes were destroyed (round %i)",
    async () => {
      await stack.ok("down", "--volumes");
      expect(await docker("volume", "ls", "-q", "--filter", "name=archive")).toBe("");
      const { code, stderr } = await stack.script("restore.sh", id, "--no-safety-set");
      expect([code, stderr.replaceAll(/^\{.*\}\n/gm, "")]).toEqual([0, ""]);
      expect(await everything()).toEqual(before);
      // The application signs in as its own role.
      const args = ["exec", "-T", "postgres", "psql", "-h", "127.0.0.1", "-U", "archive", "-d", "archive", "-Atc"];
      expect(await stack.ok(...args, "SELECT count(*) FROM big")).toBe("200000\n");
      await requireNothingLeft();
    },
  );

  it("restores one service over what is there, keeps the former state, and deletes it when told to", async () => {
    await asSuperuser(stack, "archive", "DELETE FROM big WHERE id > 10; CREATE TABLE later (n int)");
    await qdrant("POST", "/collections/kept/points/delete?wait=true", { points: [1, 2, 3] });
    // A snapshot of the user's own, which is in no set and stays.
    const own = (await qdrant("POST", "/collections/kept/snapshots?wait=true")).result as { name: string };
    const { code, stdout } = await stack.script("restore.sh", id, "postgres");
    expect(code).toBe(0);
    const former = /the state before is set (\S+)$/m.exec(stdout)?.[1] ?? "";
    expect(JSON.parse(manifest(former))).toMatchObject({ reason: `before the restore of ${id}`, complete: false });
    expect(await fingerprint(stack, "archive")).toEqual(beforeInSql);
    const kept = "SELECT count(*) FROM pg_database WHERE datname ~ '^before_'";
    expect(Number(await asSuperuser(stack, "postgres", kept))).toBeGreaterThanOrEqual(3);
    expect(await stack.script("restore.sh", "--drop-old")).toMatchObject({ code: 0 });
    expect(await asSuperuser(stack, "postgres", kept)).toBe("0\n");
    expect(await stack.script("restore.sh", id, "qdrant")).toMatchObject({ code: 0 });
    expect(await everything()).toEqual(before);
    expect((await qdrant("GET", "/collections/kept/snapshots")).result).toMatchObject([{ name: own.name }]);
    await qdrant("DELETE", `/collections/kept/snapshots/${own.name}?wait=true`);
    await requireNothingLeft();
  });

  it("does not restore over what somebody uses, unless told to", async () => {
    const user = start(
      "docker",
      ["compose", "exec", "-T", "postgres", "psql", "-U", "archive", "-d", "archive", "-c", "SELECT pg_sleep(60)"],
      {
        cwd: stack.dir,
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 2000));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const refused = await stack.script("restore.sh", id, "--no-safety-set");
    expect([refused.code, refused.stderr]).toEqual([35, expect.stringContaining("archive in archive")]);
    expect(await stack.script("restore.sh", id, "postgres", "--no-safety-set", "--force")).toMatchObject({ code: 0 });
    expect((await user.result).code).not.toBe(0);
    expect(await everything()).toEqual(before);
  });

  describe("when something is wrong", () => {
    // A few rows will do.
    beforeAll(async () => {
      await asSuperuser(stack, "archive", "DELETE FROM big WHERE id > 2000");
      await asSuperuser(stack, "archive", "REFRESH MATERIALIZED VIEW sums");
      await qdrant("DELETE", "/collections/large");
      before = await everything();
      id = await backup();
    });

    /** A copy of the set, damaged: how its verification and its restore end. */
    async function damaged(damage: (dir: string) => void): Promise<(number | null)[]> {
      const copy = "20200101T000000Z";
      const dir = join(sets(), copy);
      fs.copySync(join(sets(), id), dir);
      const text = fs.readFileSync(join(dir, "manifest.json"), "utf8").replace(`"id": "${id}"`, `"id": "${copy}"`);
      fs.writeFileSync(join(dir, "manifest.json"), text);
      seal(dir);
      damage(dir);
      const codes = [
        (await stack.script("verify-backup.sh", copy)).code,
        (await stack.script("restore.sh", copy, "--no-safety-set")).code,
      ];
      fs.removeSync(dir);
      return codes;
    }
    const seal = (dir: string): void =>
      fs.writeFileSync(join(dir, "manifest.sha256"), sha256(fs.readFileSync(join(dir, "manifest.json"), "utf8")));
    const dump = (dir: string): string =>
      join(dir, "postgres", fs.readdirSync(join(dir, "postgres")).find((name) => name.endsWith(".dump")) ?? "");

    it.each<[string, number, (dir: string) => void]>([
      ["a truncated dump", 32, (dir) => fs.truncateSync(dump(dir), 500)],
      [
        "one flipped bit",
        32,
        (dir) => {
          const bytes = fs.readFileSync(dump(dir));
          bytes[300] = (bytes[300] ?? 0) ^ 4;
          fs.writeFileSync(dump(dir), bytes);
        },
      ],
      ["a file that is missing", 32, (dir) => fs.removeSync(join(dir, "qdrant/aliases.json"))],
      ["a file more", 32, (dir) => fs.writeFileSync(join(dir, "qdrant/9.snapshot"), "")],
      [
        "a link in place of a file",
        32,
        (dir) => {
          const file = dump(dir);
          fs.moveSync(file, `${dir}.dump`);
          fs.symlinkSync(`${dir}.dump`, file);
        },
      ],
      [
        "a manifest that was tampered with",
        32,
        (dir) =>
          fs.writeFileSync(
            join(dir, "manifest.json"),
            fs.readFileSync(join(dir, "manifest.json"), "utf8").replace(": 20", ": 21"),
          ),
      ],
      [
        "a set of a newer program",
        33,
        (dir) => {
          const path = join(dir, "manifest.json");
          fs.writeFileSync(path, fs.readFileSync(path, "utf8").replace('"formatVersion": 1', '"formatVersion": 2'));
          seal(dir);
        },
      ],
    ])("refuses %s", async (_, code, damage) => {
      expect(await damaged(damage)).toEqual([code, code]);
      fs.removeSync(join(sets(), "20200101T000000Z.dump"));
      await requireNothingLeft();
    });

    it.each<[string, number, (dir: string) => void]>([
      ["another framework's set", 34, (dir) => edit(dir, '"framework": "archive"', '"framework": "other"')],
      ["a newer PostgreSQL's set", 34, (dir) => edit(dir, '"serverVersion": "15.', '"serverVersion": "16.')],
      [
        "a set of Qdrant two minor versions back",
        34,
        (dir) => edit(dir, '"serverVersion": "1.19', '"serverVersion": "1.17'),
      ],
      [
        "counts that the dump does not hold",
        36,
        (dir) => edit(dir, '"archive: public.big": 2000', '"archive: public.big": 2001'),
      ],
    ])("does not restore %s", async (_, code, damage) => {
      expect(await damaged(damage)).toEqual([0, code]);
      // It has changed nothing that anybody uses, and left nothing beside it.
      await stack.ok("up", "-d", "--wait");
      expect(await everything()).toEqual(before);
      if (code === 36) {
        // What is there may be half of two states: no backup of it counts until a restore has succeeded.
        expect(await stack.script("backup.sh")).toMatchObject({ code: 36 });
        expect((await stack.script("backup-status.sh")).stdout).toContain("restore.sh 20200101T000000Z again");
        fs.removeSync(join(sets(), ".restoring"));
      }
      await requireNothingLeft();
    });
    const edit = (dir: string, find: string, put: string): void => {
      const path = join(dir, "manifest.json");
      const text = fs.readFileSync(path, "utf8");
      if (!text.includes(find)) throw new Error(`the manifest has no ${find}`);
      fs.writeFileSync(path, text.replace(find, put));
      seal(dir);
    };

    const trouble: [string, number, () => void | Promise<void>, () => void | Promise<void>][] = [
      [
        "a service is down",
        25,
        async () => void (await stack.ok("stop", "qdrant")),
        async () => void (await stack.ok("up", "-d", "--wait")),
      ],
      ["the password is wrong", 26, () => inEnv("POSTGRES_PASSWORD", "wrong"), () => inEnv("POSTGRES_PASSWORD")],
      ["the key is wrong", 26, () => inEnv("QDRANT_API_KEY", "wrong"), () => inEnv("QDRANT_API_KEY")],
      ["a value is missing", 23, () => inEnv("POSTGRES_PASSWORD", ""), () => inEnv("POSTGRES_PASSWORD")],
      [
        "the disk is full",
        27,
        () => {
          fs.moveSync(sets(), `${sets()}.kept`);
          fs.mkdirSync(sets());
          execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "none", sets()]);
        },
        () => {
          execFileSync("umount", [sets()]);
          fs.removeSync(sets());
          fs.moveSync(`${sets()}.kept`, sets());
        },
      ],
      [
        "nothing can be written",
        28,
        () => {
          fs.moveSync(sets(), `${sets()}.kept`);
          fs.writeFileSync(sets(), "");
        },
        () => {
          fs.removeSync(sets());
          fs.moveSync(`${sets()}.kept`, sets());
        },
      ],
    ];
    let envText = "";
    const inEnv = (name: string, value?: string): void => {
      const path = join(stack.dir, ".env");
      if (value === undefined) {
        fs.writeFileSync(path, envText);
        return;
      }
      envText = fs.readFileSync(path, "utf8");
      fs.writeFileSync(path, envText.replace(new RegExp(`^${name}=.*$`, "m"), `${name}=${value}`));
    };

    it.each(trouble)("makes no set when %s", async (_, code, cause, cure) => {
      const there = fs.readdirSync(sets());
      await cause();
      let outcome: Outcome;
      try {
        outcome = await stack.script("backup.sh");
        if (fs.statSync(sets()).isDirectory())
          expect(fs.readdirSync(sets()).filter((name) => !there.includes(name))).toEqual([]);
      } finally {
        await cure();
      }
      expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringMatching(/^error: /m)]);
      expect(outcome.stdout).toBe("");
      await requireNothingLeft();
    });

    it("says that the engine is gone", async () => {
      const env = { DOCKER_HOST: "unix:///nonexistent.sock" };
      expect(await run(join(stack.dir, "scripts/backup.sh"), [], { env })).toMatchObject({ code: 22, stdout: "" });
    });

    it("says that the engine went away half way, and cleans up when it is back", async () => {
      const there = fs.readdirSync(sets());
      // Between the client and the engine, so that it can be taken away from one of them alone.
      const proxy = createServer({ allowHalfOpen: true }, (client) => {
        const path = (process.env["DOCKER_HOST"] ?? "").replace("unix://", "");
        const engine = createConnection({ path, allowHalfOpen: true });
        for (const side of [client, engine]) side.on("error", () => undefined);
        client.pipe(engine).pipe(client);
        open.add(client);
        client.once("close", () => engine.destroy());
      });
      const open = new Set<Socket>();
      const socket = join(cwd, "engine.sock");
      await new Promise<void>((resolve) => proxy.listen(socket, resolve));
      const env = { DOCKER_HOST: `unix://${socket}` };
      const { result } = start(join(stack.dir, "scripts/backup.sh"), [], { env, timeout: 120_000 });
      await new Promise((resolve) => setTimeout(resolve, 2500));
      proxy.close();
      for (const each of open) each.destroy();
      const { code, stdout, stderr } = await result;
      expect([code, stdout, stderr]).toEqual([22, "", expect.stringContaining("does not answer any more")]);
      expect(fs.readdirSync(sets())).toEqual(there);
      await backup();
      await requireNothingLeft();
    });

    it.each(["template1", "pg_dumpall", "GET /collections", "GET /aliases"])(
      "makes no set when the answer to %s is lost on its way",
      async (what) => {
        const there = fs.readdirSync(sets());
        const shim = join(cwd, "lossy");
        const real = (await run("bash", ["-c", "command -v docker"])).stdout.trim();
        // Some proxies between Docker and its engine end both directions of a connection with the first one.
        fs.outputFileSync(
          join(shim, "docker"),
          `#!/bin/sh\ncase "$*" in "exec "*${what.replace(" ", "?")}*) "${real}" "$@" >/dev/null ;; *) exec "${real}" "$@" ;; esac\n`,
          { mode: 0o755 },
        );
        const env = { PATH: `${shim}:${process.env["PATH"] ?? ""}` };
        const { code, stderr } = await run(join(stack.dir, "scripts/backup.sh"), [], { env, timeout: 120_000 });
        expect([code, stderr]).toEqual([expect.toBeOneOf([25, 29]), expect.stringMatching(/^error: /m)]);
        expect(fs.readdirSync(sets())).toEqual(there);
        await requireNothingLeft();
      },
    );

    it("goes by the clock it has: set back, and set forward", async () => {
      const shim = join(cwd, "shim");
      const at = async (offset: string, script: string): Promise<Outcome> => {
        const skewed = `#!/bin/sh\n[ $# -gt 2 ] || set -- "$@" -d "${offset}"\nexec /bin/date "$@"\n`;
        fs.outputFileSync(join(shim, "date"), skewed, { mode: 0o755 });
        const env = { PATH: `${shim}:${process.env["PATH"] ?? ""}` };
        return run(join(stack.dir, "scripts", script), [], { env, timeout: 120_000 });
      };
      const newest = fs.readdirSync(sets()).at(-1);
      const made: string[] = [];
      for (const offset of ["-3 days", "+40 days"]) {
        const { code, stdout } = await at(offset, "backup.sh");
        expect(code).toBe(0);
        made.push(stdout.trim());
      }
      const [earlier = "", later = ""] = made;
      expect([earlier < id, later > id]).toEqual([true, true]);
      // None that is still wanted is deleted for it, and people are told.
      const status = await stack.script("backup-status.sh");
      expect([status.code, status.stdout]).toEqual([1, expect.stringContaining(`set ${later} is dated in the future`)]);
      const now = await backup();
      expect(fs.readdirSync(sets())).toEqual(expect.arrayContaining([newest, ...made, now]));
      for (const each of made) fs.removeSync(join(sets(), each));
      await requireNothingLeft();
    });

    it("lets only one run at a time in", async () => {
      const first = start(join(stack.dir, "scripts/backup.sh"), []);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const second = await stack.script("backup.sh");
      expect([second.code, second.stderr]).toEqual([24, expect.stringContaining("is active")]);
      expect((await first.result).code).toBe(0);
      await requireNothingLeft();
    });

    /** Ends a restore when it has told of its step number `at`; how many it tells of, where it was not ended. */
    async function restoreEnded(at: number, signal: NodeJS.Signals): Promise<number> {
      let told = 0;
      const { child, result } = start(join(stack.dir, "scripts/restore.sh"), [id, "--no-safety-set"], {
        timeout: 120_000,
      });
      child.stderr?.on("data", (data) => {
        told += String(data).split("\n").length - 1;
        if (told >= at) child.kill(signal);
      });
      expect((await result).code === 0).toBe(told < at);
      return told;
    }

    it("can be restored again after a restore was killed, at any step", async () => {
      id = await backup();
      const steps = await restoreEnded(Infinity, "SIGKILL");
      expect(steps).toBeGreaterThan(8);
      const cases: [number, NodeJS.Signals][] = isFull
        ? Array.from({ length: steps }, (_, at) => [at + 1, at % 2 === 0 ? "SIGKILL" : "SIGTERM"])
        : [[Math.floor(steps / 2), "SIGKILL"]];
      for (const [at, signal] of cases) {
        await restoreEnded(at, signal);
        if (fs.existsSync(join(sets(), ".restoring")))
          expect(await stack.script("backup.sh")).toMatchObject({ code: 36 });
        expect(await stack.script("restore.sh", id, "--no-safety-set")).toMatchObject({ code: 0 });
        expect(await everything()).toEqual(before);
        await requireNothingLeft();
      }
    });

    it.each(isFull ? (["SIGTERM", "SIGINT", "SIGKILL"] as const) : (["SIGTERM", "SIGKILL"] as const))(
      "leaves nothing that matters after %s, at any step",
      async (signal) => {
        const list = (): string[] => fs.readdirSync(sets()).filter((name) => /^\d{8}T\d{6}Z$/.test(name));
        let there = list();
        for (const wait of isFull
          ? [200, 600, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 8000]
          : [{ SIGTERM: 3500, SIGINT: 1000, SIGKILL: 2500 }[signal]]) {
          const { child, result } = start(join(stack.dir, "scripts/backup.sh"), []);
          await new Promise((resolve) => setTimeout(resolve, wait));
          child.kill(signal);
          const { code } = await result;
          if (signal !== "SIGKILL") {
            expect([0, signal === "SIGTERM" ? 143 : 130]).toContain(code);
            await requireNothingLeft();
          }
          // A set that got its name before the end is whole, and older ones may have made room for it.
          const now = list();
          const made = now.filter((name) => !there.includes(name));
          expect(made.length).toBeLessThanOrEqual(1);
          if (made.length === 0) expect([code === 0, now]).toEqual([false, there]);
          for (const name of made) expect(await stack.script("verify-backup.sh", name)).toMatchObject({ code: 0 });
          there = now;
        }
        // The next run cleans up after one that could not.
        await backup();
        await requireNothingLeft();
      },
    );
  });
});
