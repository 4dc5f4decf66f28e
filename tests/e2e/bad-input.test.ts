import fs from "fs-extra";
import { spawnSync } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

import { cli, LAUNCHER, snapshot } from "../helpers/cli.ts";
import { leftOut } from "../helpers/left-out.ts";
import { document } from "../helpers/schemas.ts";
import { tempDir } from "../helpers/temp.ts";

/** Runs the command twice, plain and with --json: same exit code, a message and a hint, nothing written. */
async function refused(args: string[], options: { input?: string; prepare?: (cwd: string) => void } = {}) {
  const cwd = tempDir();
  options.prepare?.(cwd);
  const before = snapshot(cwd);
  const input = options.input === undefined ? {} : { input: options.input };
  const plain = await cli(args, { cwd, ...input });
  const json = await cli([...args, "--json"], { cwd, ...input });
  expect(snapshot(cwd)).toEqual(before);
  expect(json.code).toBe(plain.code);
  const { error } = document(json.stdout, "error") as { error: { message: string; hint: string | null } };
  expect(plain.stderr).toContain(error.message);
  expect(plain.stderr).not.toMatch(/^ {4}at /m);
  expect(plain.stdout).toBe("");
  return { code: plain.code, stderr: plain.stderr, hint: error.hint };
}

const NEW = "new-framework";

describe("names", () => {
  it.each([
    "",
    "x".repeat(41),
    "../x",
    "con",
    "Crew",
    "naïve",
    "a; rm -rf",
    "{{x}}",
    "$HOME",
    "a b",
    "a/b",
    ".",
    "postgres",
    "langfuse",
    "-",
    "a\nb",
  ])("refuses %j", async (name) => {
    const { code } = await refused([NEW, `--name=${name}`, "--yes"]);
    expect(code).toBe(2);
  });

  it("suggests one that works", async () => {
    expect((await refused([NEW, "Pydantic AI", "--yes"])).hint).toBe("for example: pydantic-ai");
  });

  it("refuses one that is taken, and a directory that is not ours, and leaves both alone", async () => {
    const cwd = tempDir();
    await cli([NEW, "crewai", "--yes"], { cwd });
    fs.outputFileSync(join(cwd, "frameworks/mine/notes.txt"), "mine");
    fs.outputFileSync(join(cwd, "frameworks/file"), "mine");
    fs.symlinkSync("/nowhere", join(cwd, "frameworks/link"));
    const before = snapshot(cwd);
    for (const name of ["crewai", "mine", "file", "link"]) {
      const { code, stderr } = await cli([NEW, name, "--yes"], { cwd });
      expect([code, stderr]).toEqual([2, expect.stringContaining(`frameworks/${name} exists`)]);
    }
    expect(snapshot(cwd)).toEqual(before);
  });
});

describe("ports", () => {
  it.each([
    "qdrant=0",
    "qdrant=70000",
    "qdrant=12abc",
    "qdrant=1e3",
    "qdrant=-1",
    "qdrant=",
    "qdrant= 80",
    "qdrant=0x50",
    "=80",
    "80",
    "nope=80",
    "valkey=80",
  ])("refuses %s", async (port) => {
    const { code, stderr } = await refused([NEW, "crewai", "--yes", "--port", port]);
    expect([code, stderr.length > 20]).toEqual([2, true]);
  });

  it("refuses one that two services are given in the same answers", async () => {
    expect((await refused([NEW, "crewai", "--yes", "--port", "qdrant=7000", "--port", "postgres=7000"])).code).toBe(2);
  });

  it("refuses one on which something listens, and names a free one that works", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => {
      server.close();
    });
    const busy = String((server.address() as AddressInfo).port);
    const { code, stderr, hint } = await refused([
      NEW,
      "crewai",
      "--yes",
      "--services",
      "qdrant",
      "--port",
      `qdrant=${busy}`,
    ]);
    expect([code, stderr]).toEqual([
      3,
      expect.stringContaining(`port ${busy} for qdrant is held by a program that listens on this host`),
    ]);
    const advice = /nearest free: (--port) (qdrant=\d+)/.exec(hint ?? "")?.slice(1) ?? [];
    expect((await cli([NEW, "crewai", "--yes", "--services", "qdrant", ...advice], { cwd: tempDir() })).code).toBe(0);
  });
});

describe("flags and arguments", () => {
  it.each<[string[], string]>([
    [["nope"], "is not a command"],
    [["new-framwork"], "did you mean new-framework?"],
    [[NEW, "a", "b", "--yes"], 'unexpected argument "b"'],
    [[NEW, "a", "--name", "b", "--yes"], "two names"],
    [[NEW, "a", "--yes", "--nmae", "x"], "did you mean --name?"],
    [[NEW, "a", "--yes", "--images", "newest"], "--images"],
    [[NEW, "a", "--yes", "--profile", "huge"], "--profile"],
    [[NEW, "a", "--yes", "--langfuse", "yes"], "--langfuse"],
    [[NEW, "a", "--yes", "--langfuse", "external", "--langfuse-host", "localhost"], "--langfuse-host"],
    [[NEW, "a", "--yes", "--langfuse", "dedicated", "--langfuse-host", "http://a"], "external"],
    [[NEW, "a", "--yes", "--services", "qdrannt"], "qdrannt"],
    [[NEW, "a", "--yes", "--services", ""], "at least one service"],
    [[NEW, "a", "--yes", "--preset", "nope"], "crewai"],
    [[NEW, "a", "--yes", "--description", "two\nlines"], "--description"],
    [[NEW, "a", "--yes", "--templates", "/nowhere"], "not a templates folder"],
    [[NEW, "--yes"], "a name is missing"],
    [[NEW], "not a terminal"],
    [[NEW, "crewai"], "--yes (take the defaults) or --answers FILE"],
    [["ports", "x"], "unexpected argument"],
    [["ports", "--check", "--fix"], "cannot be used together"],
  ])("%j", async (args, message) => {
    const { code, stderr } = await refused(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it("prints usage and exit 2 without a command", async () => {
    const { code, stdout } = await cli([]);
    expect([code, stdout]).toEqual([2, expect.stringMatching(/^Usage:/)]);
  });
});

describe("answers", () => {
  it.each<[string, string]>([
    ["name: [a", "standard input:1"],
    ["name: a\nservcies: [qdrant]\n", "standard input:2: servcies: unknown key"],
    [
      "name: a\nservices:\n  qdrant:\n    port: 70000\n",
      "standard input:4: services.qdrant.port: a port is a whole number",
    ],
    ["name: a\nservices:\n  qdrant:\n    port: 12abc\n", "standard input:4: services.qdrant.port: "],
    ["name: a\nservices:\n  qdrant:\n    port: 1e3\n", 'standard input:4: "1e3" is not a whole number'],
    ["name: a\nservices: {qdrant: {port: 7000}, postgres: {port: 7000}}\n", "given to two services"],
    ["name: a\nimages: newest\n", "standard input:2: images"],
    ["name: a\nlangfuse: {mode: external, host: 'http://u:p@x'}\n", "must not hold a user name or password"],
    ["name: &a x\ndescription: *a\n", "aliases"],
    ["- a\n", "standard input"],
    ["images: pinned\n", "a name is missing"],
    ["", "a name is missing"],
    ["name: a\nschemaVersion: 2\n", "standard input:2: schemaVersion"],
  ])("%j", async (input, message) => {
    const { code, stderr } = await refused([NEW, "--answers", "-"], { input });
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it("names a file that is not there or is a directory", async () => {
    expect((await refused([NEW, "--answers", "nope.yaml"])).stderr).toContain(
      "nope.yaml cannot be read: there is no such file",
    );
    expect((await refused([NEW, "--answers", "."])).stderr).toContain(". cannot be read: it is a directory");
  });
});

describe("the root", () => {
  it("must not be a file, nor lie below one", async () => {
    const prepare = (cwd: string): void => {
      fs.writeFileSync(join(cwd, "frameworks"), "a file");
    };
    expect(await refused([NEW, "a", "--yes"], { prepare })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is a file"),
    });
    expect(await refused([NEW, "a", "--yes", "--root", "frameworks/x"], { prepare })).toMatchObject({ code: 2 });
    expect(await refused(["ports"], { prepare })).toMatchObject({ code: 2 });
    expect(await refused(["ports", "--fix"], { prepare })).toMatchObject({ code: 2 });
  });

  it.each(["/sys/kernel/framework-infra", "/proc/framework-infra"])(
    "must be a place that can be written: %s",
    async (root) => {
      expect(await refused([NEW, "a", "--yes", "--root", root])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("cannot be written"),
      });
    },
  );

  it("must not be a read-only directory, for somebody who is not root", async () => {
    const cwd = tempDir();
    fs.mkdirSync(join(cwd, "frameworks"), { mode: 0o555 });
    fs.chmodSync(cwd, 0o755);
    // root may write everywhere, so it becomes somebody else, if that one may read the program.
    const isRoot = process.getuid?.() === 0;
    const run = isRoot
      ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", process.execPath]
      : [process.execPath];
    const as = (...args: string[]): ReturnType<typeof spawnSync> =>
      spawnSync(run[0] ?? "", [...run.slice(1), ...args], { cwd, encoding: "utf8" });
    if (as(LAUNCHER, "--version").status !== 0) {
      leftOut("a read-only root for somebody who is not root", "setpriv, and a project that others may read", true);
      return;
    }
    const { status, stderr } = as(LAUNCHER, NEW, "a", "--yes");
    expect([status, stderr]).toEqual([2, expect.stringContaining("frameworks cannot be written: permission denied")]);
  });

  it("may be new and deep, and is not left behind when the input is refused", async () => {
    const cwd = tempDir();
    expect((await cli([NEW, "a", "--yes", "--root", "x/y/z"], { cwd })).code).toBe(0);
    expect((await cli([NEW, "B", "--yes", "--root", "p/q"], { cwd })).code).toBe(2);
    expect(fs.readdirSync(cwd)).toEqual(["x"]);
  });

  it("must have room for PORT_ALLOCATION.md, or nothing is written", async () => {
    for (const spoil of [
      (path: string) => fs.mkdirSync(path),
      (path: string) => fs.symlinkSync("/etc/hostname", path),
    ]) {
      const cwd = tempDir();
      fs.mkdirSync(join(cwd, "frameworks"));
      spoil(join(cwd, "frameworks/PORT_ALLOCATION.md"));
      const { code, stderr } = await cli([NEW, "crewai", "--yes"], { cwd });
      expect([code, stderr]).toEqual([1, expect.stringContaining("nothing was written")]);
      expect(fs.readdirSync(join(cwd, "frameworks"))).toEqual(["PORT_ALLOCATION.md"]);
    }
  });

  it("names a broken framework.yaml in it, with line and key, and gives others no port that it publishes", async () => {
    const cwd = tempDir();
    await cli([NEW, "crewai", "--yes"], { cwd });
    const spec = join(cwd, "frameworks/crewai/framework.yaml");
    fs.writeFileSync(spec, fs.readFileSync(spec, "utf8").replace("profile: small", "profile: tiny"));
    const { code, stderr } = await cli([NEW, "mine", "--yes", "--preset", "crewai"], { cwd });
    expect([code, stderr]).toEqual([0, expect.stringMatching(/frameworks\/crewai\/framework\.yaml:\d+: profile: /)]);
    const ports = await cli(["ports", "--json"], { cwd });
    expect([ports.code, ports.stderr]).toEqual([2, expect.stringContaining("profile")]);
    const listed = (JSON.parse(ports.stdout) as { ports: { framework: string; port: number }[] }).ports;
    expect(listed.filter(({ framework }) => framework === "crewai")).toHaveLength(3);
    expect(new Set(listed.map(({ port }) => port)).size).toBe(6);
  });
});
