import fs from "fs-extra";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fill } from "../../scripts/bench/fill.ts";
import { builtIn } from "../helpers/catalogue.ts";
import { LAUNCHER, start } from "../helpers/cli.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

const COUNT = 1000;
const STALE_MS = 5000;
const README = "framework/emit/README.md.hbs";
const LOCK = ".framework-infra.lock";
const JOURNAL = ".framework-infra.journal";

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A run over so many frameworks that somebody else may want the root, or lose patience, in the middle of it. */
describe(`regenerate over ${String(COUNT)} frameworks`, { timeout: 180_000 }, () => {
  const cwd = newTempDir();
  const work = new Workspace(cwd);
  const root = join(cwd, "frameworks");

  beforeAll(async () => {
    fs.mkdirSync(root);
    await fill(root, COUNT, await builtIn());
    for (const edition of ["one", "two"]) work.newer({ [README]: (text) => `${text}\nEdition ${edition}.\n` }, edition);
  }, 180_000);
  afterAll(() => {
    removeDir(cwd);
  }, 60_000);

  const run = (edition: string): ReturnType<typeof start> =>
    start(process.execPath, [LAUNCHER, "regenerate", "--templates", edition], { cwd, timeout: 120_000 });

  /** Frameworks that have an edition in file and base; both change in one commit. */
  function updatedTo(edition: string): number {
    const has = (folder: string, path: string): boolean =>
      fs.readFileSync(join(root, folder, path), "utf8").includes(`Edition ${edition}.`);
    const folders = fs.readdirSync(root).filter((name) => name.startsWith("agents-"));
    for (const folder of folders)
      expect(has(folder, "README.md"), folder).toBe(has(folder, ".scaffold/base/README.md.base"));
    return folders.filter((folder) => has(folder, "README.md")).length;
  }

  const left = (): string[] => fs.readdirSync(root).filter((name) => name.startsWith("."));

  async function some(edition: string): Promise<void> {
    const first = join(root, "agents-0/README.md");
    for (const until = Date.now() + 60_000; Date.now() < until;) {
      if (fs.readFileSync(first, "utf8").includes(`Edition ${edition}.`)) break;
      await wait(20);
    }
    await wait(300);
  }

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s stops it between two frameworks, and it says how far it got", async (signal, code) => {
    const edition = signal === "SIGINT" ? "one" : "two";
    const { child, result } = run(edition);
    await some(edition);
    child.kill(signal);
    const outcome = await result;
    const [, looked, total, last] =
      /(\d+) of (\d+) frameworks were brought up to date, the last one was (\S+); run it again/.exec(outcome.stderr) ??
      [];
    const done = updatedTo(edition);
    expect([outcome.code, Number(looked), Number(total)]).toEqual([code, done, COUNT]);
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(COUNT);
    expect(fs.readFileSync(join(root, last ?? "", "README.md"), "utf8")).toContain(`Edition ${edition}.`);
    expect(left()).toEqual([]);
  });

  it("keeps its lock for longer than a lock may be left alone", async () => {
    const begun = Date.now();
    const { result } = run("one");
    await some("one");
    const second = start(process.execPath, [LAUNCHER, "ports", "--fix"], { cwd, timeout: 120_000 });
    const ends: string[] = [];
    const [first, other] = await Promise.all([
      result.finally(() => ends.push("regenerate")),
      second.result.finally(() => ends.push("ports --fix")),
    ]);
    expect(Date.now() - begun).toBeGreaterThan(STALE_MS);
    expect([first.code, other.code, ends]).toEqual([0, 0, ["regenerate", "ports --fix"]]);
    expect(other.stderr).toContain("another command is working in frameworks; waiting for it");
    expect(updatedTo("one")).toBe(COUNT);
  });

  it("writes nothing more once it was suspended for so long that another command took over", async () => {
    const { child, result } = run("two");
    await some("two");
    child.kill("SIGSTOP");
    // It takes over, finishes what was begun, and is done.
    expect(await work.ok("ports", "--fix")).toContain("PORT");
    const done = updatedTo("two");
    expect(left()).toEqual([]);
    child.kill("SIGCONT");
    const { code, stderr } = await result;
    expect([code, stderr]).toEqual([1, expect.stringContaining("another command took over frameworks")]);
    expect(updatedTo("two")).toBe(done);
    expect(done).toBeLessThan(COUNT);
    expect([left(), fs.existsSync(join(root, LOCK)), fs.existsSync(join(root, JOURNAL))]).toEqual([[], false, false]);
  });
});
