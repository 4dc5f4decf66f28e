import fs from "fs-extra";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { backupStatusDocument, recoveryKitDocument } from "../../src/report/backup-documents.ts";
import { cli, run } from "../helpers/cli.ts";
import { leftOut } from "../helpers/left-out.ts";
import { tempDir } from "../helpers/temp.ts";

/** The schedule, and what is told of a run, without an engine. tests/live/drill.test.ts has cron and the rest. */
async function made(backup: object = {}): Promise<string> {
  const cwd = tempDir();
  // What cron, systemd and a shell take for something else.
  const root = `it's "100%" mine`;
  const input = JSON.stringify({ name: "crewai", services: ["postgres"], backup });
  const { code, stderr } = await cli(["new-framework", "--yes", "--answers", "-", "--root", root], { cwd, input });
  if (code !== 0) throw new Error(stderr);
  return join(cwd, root, "crewai");
}

const install = (dir: string, ...args: string[]): ReturnType<typeof run> =>
  run(join(dir, "schedule/install.sh"), args, {
    env: { TZ: "UTC", DOCKER_HOST: "unix:///a b.sock", DOCKER_CONFIG: "" },
  });

describe("a schedule", () => {
  it("is at a time of night that its name gives, or at the one that is asked for", async () => {
    const dir = await made();
    expect(fs.readFileSync(join(dir, "schedule/backup.timer"), "utf8")).toContain("OnCalendar=*-*-* 02:59:00 UTC\n");
    expect(fs.readFileSync(join(dir, "schedule/drill.timer"), "utf8")).toContain("OnCalendar=Sun *-*-* 03:59:00 UTC\n");
    const asked = await made({ at: "22:30" });
    expect(fs.readFileSync(join(asked, "schedule/drill.timer"), "utf8")).toContain(
      "OnCalendar=Sun *-*-* 23:30:00 UTC\n",
    );
  });

  it.each(["23:45", "23:59", "00:00", "00:15", "24:00", "7:30", "noon"])("is not at %s", async (at) => {
    await expect(made({ at })).rejects.toThrow(/backup\.at/);
  });

  it("is in units that systemd reads, whatever the path", async () => {
    const dir = await made();
    const { code, stdout } = await install(dir, "--systemd", "--print");
    expect(code).toBe(0);
    expect(stdout).toContain(`WorkingDirectory=${dir.replaceAll("%", "%%")}\n`);
    expect(stdout).toContain('Environment="DOCKER_HOST=unix:///a b.sock"\n');
    const units = stdout.split(/^# .*\/(framework-infra-crewai-[a-z.]+)$/m).slice(1);
    expect(units.filter((_, index) => index % 2 === 0)).toEqual([
      "framework-infra-crewai-backup.service",
      "framework-infra-crewai-backup.timer",
      "framework-infra-crewai-drill.service",
      "framework-infra-crewai-drill.timer",
    ]);
    if (spawnSync("systemd-analyze", ["--version"]).status !== 0) {
      leftOut("reading the units as systemd does", "systemd-analyze");
      return;
    }
    const folder = tempDir();
    for (let index = 0; index < units.length; index += 2)
      fs.writeFileSync(join(folder, units[index] ?? ""), units[index + 1] ?? "");
    const paths = fs.readdirSync(folder).map((name) => join(folder, name));
    const verified = await run("systemd-analyze", ["verify", "--man=no", ...paths]);
    expect(verified.stderr.split("\n").filter((line) => line.includes("framework-infra-"))).toEqual([]);
  });

  it("is two lines of a crontab, which a plain shell runs", async () => {
    const dir = await made();
    const { code, stdout } = await install(dir, "--cron", "--print");
    expect(code).toBe(0);
    const [backup = "", drill = ""] = stdout.trim().split("\n");
    expect(backup).toMatch(
      /^59 2 \* \* \* cd .* bash scripts\/backup\.sh --quiet >\/dev\/null # framework-infra: crewai$/,
    );
    expect(drill).toMatch(
      /^59 3 \* \* 0 cd .* bash scripts\/verify-backup\.sh --drill --quiet >\/dev\/null # framework-infra: crewai$/,
    );
    // As cron does: what is behind an unescaped percent sign would be standard input.
    const command = backup.replace(/^(?:\S+ ){5}/, "").replaceAll("\\%", "%");
    expect(backup.replaceAll("\\%", "")).not.toContain("%");
    const where = command.replace("bash scripts/backup.sh --quiet >/dev/null", "env pwd");
    expect(await run("sh", ["-c", where], { cwd: "/" })).toMatchObject({ code: 0, stdout: `${dir}\n` });
  });

  it("is at the host's own time in a crontab, and on the day that the Sunday of UTC is there", async () => {
    const dir = await made();
    const there = await run(join(dir, "schedule/install.sh"), ["--cron", "--print"], { env: { TZ: "Etc/GMT+8" } });
    const [backup = "", drill = ""] = there.stdout.split("\n");
    expect([backup.slice(0, 12), drill.slice(0, 12)]).toEqual(["59 18 * * * ", "59 19 * * 6 "]);
  });

  it("is refused where no engine answers in the environment of a timer", async () => {
    const dir = await made();
    const { code, stderr } = await run(join(dir, "schedule/install.sh"), ["--cron"], {
      env: { DOCKER_HOST: "unix:///nonexistent.sock" },
    });
    expect([22, 21]).toContain(code);
    expect(stderr).toContain("a timer could not use the engine");
  });
});

describe("settings of a backup", () => {
  it.each([
    "sftp:me@host:/srv/restic",
    "s3:https://host/bucket",
    "rest:https://host:8000/",
    "/srv/restic",
    "rclone:remote:path",
  ])("may name the repository %s", async (repository) => {
    const dir = await made({ driver: "restic", repository });
    const asRead = await run("bash", ["-c", '. scripts/lib/stack.sh; printf %s "$DRIVER $REPOSITORY"'], {
      cwd: dir,
      env: { STACK_DIR: dir },
    });
    expect(asRead.stdout).toBe(`restic ${repository}`);
    expect(fs.readFileSync(join(dir, "framework.yaml"), "utf8")).toContain(`  repository: "${repository}"\n`);
  });

  it.each(["relative/repository", "rest:https://me:secret@host/", "a b", "$(id)", "'", "-x"])(
    "may not name the repository %s",
    async (repository) => {
      await expect(made({ driver: "restic", repository })).rejects.toThrow(/backup\.repository/);
    },
  );
});

describe("a recovery kit", () => {
  it("names what must be kept, for people and as JSON, and prints no secret", async () => {
    const dir = await made();
    const kit = async (...args: string[]): Promise<string> =>
      (await run(join(dir, "scripts/recovery-kit.sh"), args)).stdout;
    expect(await kit()).toContain("- .env\n");
    const document = recoveryKitDocument.parse(JSON.parse(await kit("--json")));
    expect(document).toMatchObject({ files: [".env"], permanent: [], repository: null, newest: null });
    const password = /^POSTGRES_PASSWORD=(.*)$/m.exec(fs.readFileSync(join(dir, ".env"), "utf8"))?.[1] ?? "";
    expect(password).toHaveLength(64);
    expect((await kit()) + (await kit("--json"))).not.toContain(password);
    expect(await kit("--with-secrets")).toContain(password);
  });
});

describe("the age of the last drill", () => {
  it("counts from the last one that succeeded, or from the oldest set", async () => {
    const dir = await made();
    const idAt = (days: number): string =>
      new Date(Date.now() - days * 86_400_000).toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
    const set = (id: string): void =>
      fs.outputFileSync(join(dir, "backups", id, "manifest.json"), '{\n  "complete": true,\n  "reason": ""\n}\n');
    const status = async (...args: string[]): Promise<[number | null, string]> => {
      const { code, stdout } = await run(join(dir, "scripts/backup-status.sh"), args);
      return [code, stdout];
    };
    set(idAt(0));
    expect((await status())[0]).toBe(0);
    set(idAt(12));
    expect(await status()).toEqual([1, expect.stringContaining("no set has been restored in a drill")]);
    expect((await status("--max-drill-age", "0"))[0]).toBe(0);
    fs.writeFileSync(join(dir, "backups/.drills"), `${idAt(20)} ${idAt(21)} 9\n${idAt(10)} ${idAt(11)} 7\n`);
    expect(await status()).toEqual([1, expect.stringContaining("the last drill was 10 days ago")]);
    fs.appendFileSync(join(dir, "backups/.drills"), `${idAt(1)} ${idAt(12)} 8\n`);
    expect(await status()).toEqual([0, expect.stringContaining(`last drill: set ${idAt(12)} restored in 8 seconds`)]);
    expect(backupStatusDocument.parse(JSON.parse((await status("--json"))[1]))).toMatchObject({
      drill: { id: idAt(12), seconds: 8 },
      problems: [],
    });
  });
});
