import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { isFull } from "../helpers/arbitrary.ts";
import { run } from "../helpers/cli.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { PROJECT } from "../helpers/project.ts";
import {
  addableSecrets,
  countWrites,
  failAt,
  gitDir,
  KILL_AT,
  killAt,
  onFreePorts,
  pick,
  secretsIn,
  treeOf,
} from "../helpers/sweep.ts";
import { tempDir } from "../helpers/temp.ts";

onFreePorts();

const SECRET = "0123456789abcdef".repeat(4);
const NEW = ["new-framework", "crewai", "--yes", "--services", "qdrant"];

describe("the preload kill-at.mjs", () => {
  /** Runs a script below the preload; what it writes in `d` counts. */
  async function script(text: string, env: Record<string, string> = {}) {
    const cwd = tempDir();
    mkdirSync(join(cwd, "d"));
    writeFileSync(join(cwd, "script.mjs"), text);
    const outcome = await run(process.execPath, ["script.mjs"], {
      cwd,
      env: {
        NODE_OPTIONS: `--import=${KILL_AT}`,
        FI_KILL_BELOW: join(cwd, "d"),
        FI_KILL_COUNT: join(cwd, "calls"),
        ...env,
      },
    });
    writeFileSync(join(cwd, "calls"), "", { flag: "a" });
    const calls = readFileSync(join(cwd, "calls"), "utf8").trimEnd().split("\n");
    return { ...outcome, calls: calls.map((line) => line.replace(`${cwd}/d/`, "")), made: readdirSync(join(cwd, "d")) };
  }

  it("counts every form of a call once: named imports, require, clones, callbacks, promises, open files", async () => {
    const { calls, stderr } = await script(`
      import fs, { renameSync, writeFileSync } from "node:fs";
      import promises from "node:fs/promises";
      import { createRequire } from "node:module";
      import { promisify } from "node:util";
      const require = createRequire(${JSON.stringify(join(PROJECT, "package.json"))});
      const graceful = require("graceful-fs");
      const extra = require("fs-extra");
      writeFileSync("d/a", "1");
      renameSync("d/a", "d/b");
      require("fs").unlinkSync("d/b");
      await promisify(graceful.mkdir)("d/c");
      await promisify(fs.writeFile)("d/c/x", "1");
      await promises.appendFile("d/c/x", "2");
      await extra.outputFile("d/c/y", "1");
      fs.copyFileSync("d/c/y", "d/c/z");
      const fd = fs.openSync("d/f", "w");
      fs.writeFileSync(fd, "1");
      fs.fsyncSync(fd);
      fs.closeSync(fd);
      const dir = fs.openSync("d", "r");
      fs.fsyncSync(dir);
      fs.closeSync(dir);
      const handle = await promises.open("d/h", "w");
      await handle.writeFile("1");
      await handle.close();
      await new Promise((resolve) => fs.createWriteStream("d/s").end("1").on("close", resolve));
      fs.cpSync("d/c", "d/k", { recursive: true });
      await promises.rm("d/k", { recursive: true });
      fs.mkdirSync("d/m/n", { recursive: true });
      fs.rmSync("d/m", { recursive: true });
      for (const time of [1, 2]) fs.utimesSync("d/f", time, time);
      // None of this counts.
      fs.readFileSync("d/f");
      fs.writeFileSync("outside", "1");
      fs.writeSync(2, "");
      fs.statSync("d");
    `);
    expect(stderr).toBe("");
    const expected = `openSync a, writeFileSync a, renameSync a, unlinkSync b, mkdir c, writeFile c/x, appendFile c/x,
      writeFile c/y, openSync c/z, copyFileSync c/z, openSync f, writeFileSync f, fsyncSync f, fsyncSync ., open h, writeFile h, open s,
      write s, cpSync k, rm k, mkdirSync m, mkdirSync m/n, rmdirSync m/n, rmdirSync m, utimesSync f`;
    expect(calls.map((line) => line.replace(/ [^ ]*\/d$/, " ."))).toEqual(
      expected.split(/,\s+/).map((line, index) => `${String(index + 1)} ${line}`),
    );
  });

  const three = `
    import fs from "node:fs";
    for (const name of ["a", "b", "c"])
      try {
        fs.mkdirSync("d/" + name);
      } catch (error) {
        console.log(error.code, error.errno, error.syscall, error.path.endsWith("/d/" + name), error.message);
      }
    await fs.promises.mkdir("d/p").catch(({ code }) => console.log(code));
    fs.mkdir("d/q", (error) => console.log(error?.code));
  `;

  it("kills right before the call that is named: it is logged, and not done", async () => {
    const { signal, calls, made } = await script(three, { FI_KILL_AT: "2" });
    expect([signal, calls, made]).toEqual(["SIGKILL", ["1 mkdirSync a", "2 mkdirSync b"], ["a"]]);
    for (const [at, done] of [
      ["4", ["a", "b", "c"]],
      ["5", ["a", "b", "c", "p"]],
    ] as const) {
      expect((await script(three, { FI_KILL_AT: at })).made).toEqual(done);
    }
  });

  it("lets one call fail as the system would, or all from there on, in each form", async () => {
    const { stdout, made } = await script(three, { FI_KILL_FAIL: "2:ENOSPC" });
    expect(stdout).toMatch(/^ENOSPC -28 mkdir true ENOSPC: no space left on device, mkdir '.*\/d\/b'\nundefined\n$/);
    expect(made).toEqual(["a", "c", "p", "q"]);
    const lasting = await script(three, { FI_KILL_FAIL: "3+:EIO" });
    expect([lasting.stdout, lasting.made]).toEqual([expect.stringMatching(/^EIO .*\nEIO\nEIO\n$/), ["a", "b"]]);
    expect((await script("", { FI_KILL_FAIL: "2:NOTHING" })).stderr).toContain("is not N:CODE");
  });

  it("counts the program's writes alike in every run, and changes nothing of what it does", async () => {
    const [first, second] = [tempDir(), tempDir()];
    const runs = [await countWrites(NEW, first), await countWrites(NEW, second)].map(({ calls }) =>
      calls.map((call) => call.split(" ", 1)[0]),
    );
    expect(runs[0]?.length).toBeGreaterThan(20);
    expect(runs[1]).toEqual(runs[0]);
    const work = new Workspace();
    await work.ok(...NEW);
    expect(treeOf(first)).toEqual(treeOf(work.cwd));
  });

  it("stops the program at every one of them, and never after the last", async () => {
    const { calls } = await countWrites(NEW, tempDir());
    for (const n of pick(calls.length, 6)) expect((await killAt(n, NEW, tempDir())).signal).toBe("SIGKILL");
    expect((await killAt(calls.length + 1, NEW, tempDir())).code).toBe(0);
    expect((await failAt(1, "ENOSPC", NEW, tempDir())).stderr).toContain("ENOSPC");
  });
});

describe("the helpers of a sweep", () => {
  it("onFreePorts lets two programs find the same port free", async () => {
    const twice = `for (const n of [1, 2]) require("net").createServer().listen(20741, () => console.log("free"))`;
    expect((await run(process.execPath, ["-e", twice])).stdout).toBe("free\nfree\n");
  });

  it("treeOf sees modes, links and empty directories, and no secret that is new", () => {
    const dir = tempDir();
    mkdirSync(join(dir, "empty"));
    symlinkSync("x", join(dir, "link"));
    writeFileSync(join(dir, ".env"), `A=${SECRET}\nB=x-${"f".repeat(64)}\n`);
    writeFileSync(join(dir, "script"), SECRET);
    chmodSync(join(dir, ".env"), 0o600);
    chmodSync(join(dir, "script"), 0o755);
    expect(treeOf(dir, new Set([SECRET]))).toEqual({
      ".env": `file 600\nA=${SECRET}\nB=x-<secret>\n`,
      empty: expect.stringMatching(/^directory 7/) as string,
      link: "link -> x",
      script: `file 755\n${SECRET}`,
    });
    expect([...secretsIn(dir)]).toEqual([SECRET, "f".repeat(64)]);
  });

  it("addableSecrets finds what git would take, and only that", async () => {
    const dir = tempDir();
    const git = await gitDir(join(tempDir(), "git"));
    mkdirSync(join(dir, "staged"));
    for (const name of ["0.next", ".gitignore"]) writeFileSync(join(dir, "staged", name), `KEY=${SECRET}\n`);
    writeFileSync(join(dir, "list.json"), `{"before":"${SECRET}"}`);
    expect(await addableSecrets(dir, git, new Set())).toEqual(["staged/.gitignore", "staged/0.next"]);
    expect(await addableSecrets(dir, git, new Set([SECRET]))).toContain("list.json");
    writeFileSync(join(dir, "staged/.gitignore"), "*\n");
    expect(await addableSecrets(dir, git, new Set())).toEqual([]);
    rmSync(join(dir, "staged/.gitignore"));
    expect(await addableSecrets(dir, git, new Set())).toEqual(["staged/0.next"]);
  });

  it.skipIf(isFull)("pick takes both ends and one of each stratum, always the same", () => {
    const found = pick(100, 10);
    expect(found).toHaveLength(10);
    expect([...found.slice(0, 2), ...found.slice(-2)]).toEqual([1, 2, 99, 100]);
    expect(found.slice(2, -2).map((n) => Math.floor((n - 3) / 16))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(pick(100, 10)).toEqual(found);
    expect([pick(3, 10), pick(0, 10), pick(7, 4)]).toEqual([[1, 2, 3], [], [1, 2, 6, 7]]);
  });
});
