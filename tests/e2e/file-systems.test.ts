import fs from "fs-extra";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { LAUNCHER, run, snapshot, type Outcome } from "../helpers/cli.ts";
import { PROJECT } from "../helpers/project.ts";
import { leftOut } from "../helpers/left-out.ts";
import { Workspace } from "../helpers/project-dir.ts";

const LOGGING = "framework/emit/config/logging.yaml.hbs";
const NOBODY = "65534";

/** A tmpfs in place of a directory, seen only by the command behind it, with the files that were there. */
const MOUNTED = `
set -eu
dir=$1; shift
cp -a "$dir" "$dir.copy"
mount -t tmpfs none "$dir"
cp -a "$dir.copy/." "$dir/"; rm -r "$dir.copy"
code=0; "$@" || code=$?
cp -a "$dir/." "$dir/../../../mounted/"
exit "$code"`;

const canMount = ((): boolean => {
  try {
    execFileSync("unshare", ["-rm", "sh", "-c", "mount -t tmpfs none /mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe("another file system inside a framework's directory", () => {
  it("takes an update like the rest of it", async () => {
    if (!canMount && leftOut("a file system mounted on config/", "unshare and the right to mount")) return;
    const work = await new Workspace().make("crewai", "postgres");
    const templates = work.newer({ [LOGGING]: (text) => `# New words.\n${text}` });
    const mounted = join(work.cwd, "mounted");
    fs.ensureDirSync(mounted);
    const command = [process.execPath, LAUNCHER, "regenerate", "--templates", templates];
    const { code, stdout, stderr } = await run(
      "unshare",
      ["-rm", "sh", "-c", MOUNTED, "sh", work.path("crewai/config"), ...command],
      { cwd: work.cwd },
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("config/logging.yaml");
    // What was on the mounted file system: the new file, nothing left beside it, the mode it had.
    expect(fs.readFileSync(join(mounted, "logging.yaml"), "utf8")).toMatch(/^# New words\.\n/);
    expect(Object.keys(snapshot(mounted)).filter((path) => /framework-infra|incoming/.test(path))).toEqual([]);
    expect(fs.statSync(join(mounted, "logging.yaml")).mode & 0o777).toBe(0o644);
    expect(work.has(".framework-infra.journal")).toBe(false);
  });
});

describe("a framework's directory that belongs to somebody else", () => {
  /** Runs the program as a user without rights, in a root that is this user's but for one directory. */
  const asNobody = (work: Workspace, ...args: string[]): Promise<Outcome> => {
    // Where the project lies, that user may not be able to look.
    const program = join(work.cwd, "program");
    for (const name of ["bin", "dist", "templates", "package.json"])
      if (!fs.existsSync(join(program, name))) fs.copySync(join(PROJECT, name), join(program, name));
    const command = [process.execPath, join(program, "bin/framework-infra.js"), ...args];
    return run("setpriv", ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", ...command], {
      cwd: work.cwd,
      env: { HOME: "/nonexistent" },
    });
  };

  it("stops no command about another one, and is named with a way out", async () => {
    if (process.getuid?.() !== 0 && leftOut("a directory of another user", "root")) return;
    const work = await (await new Workspace().make("crewai", "postgres")).make("dspy", "postgres");
    const templates = work.newer({ [LOGGING]: (text) => `# New words.\n${text}` });
    execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, work.cwd]);
    execFileSync("chown", ["-R", "0:0", work.path("dspy")]);
    fs.chmodSync(work.path("dspy/.env"), 0o644);
    fs.chmodSync(work.cwd, 0o755);
    const before = snapshot(work.path("dspy"));

    const stopped = await asNobody(work, "regenerate", "dspy", "--templates", templates);
    expect([stopped.code, stopped.stdout]).toEqual([1, ""]);
    expect(stopped.stderr).toMatch(/^error: .*dspy[\s\S]*\nhint: /);
    expect(snapshot(work.path("dspy"))).toEqual(before);
    expect(work.has(".framework-infra.journal")).toBe(false);

    const others = await asNobody(work, "regenerate", "crewai", "--templates", templates);
    expect([others.code, work.read("crewai/config/logging.yaml")]).toEqual([0, expect.stringMatching(/^# New words/)]);
    const status = await asNobody(work, "status");
    expect([status.code, status.stdout]).toEqual([0, expect.stringContaining("crewai")]);
    const added = await asNobody(work, "add-service", "qdrant", "crewai", "--templates", templates);
    expect([added.code, added.stderr]).toEqual([0, expect.not.stringContaining("error")]);
    expect(snapshot(work.path("dspy"))).toEqual(before);
  });

  it("stops no command when not even its .env can be read", async () => {
    if (process.getuid?.() !== 0 && leftOut("a directory of another user", "root")) return;
    const work = await (await new Workspace().make("crewai", "postgres")).make("dspy", "postgres");
    execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, work.cwd]);
    fs.chmodSync(work.cwd, 0o755);
    for (const path of ["dspy/.env", "dspy"]) {
      execFileSync("chown", ["0:0", work.path(path)]);
      fs.chmodSync(work.path(path), path === "dspy" ? 0o700 : 0o600);
      const added = await asNobody(work, path === "dspy" ? "remove-service" : "add-service", "qdrant", "crewai");
      expect([path, added.code, added.stderr.replace(/^warning: .*\n/gm, "")]).toEqual([path, 0, ""]);
      const status = await asNobody(work, "status");
      expect([path, status.stdout]).toEqual([path, expect.stringContaining("crewai")]);
      expect([path, status.stdout + status.stderr]).toEqual([path, expect.stringContaining("dspy")]);
    }
  });
});
