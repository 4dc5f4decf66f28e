import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { cli, make, run, snapshot } from "../helpers/cli.ts";
import { TEMPLATES } from "../helpers/project.ts";
import { document } from "../helpers/schemas.ts";
import { tempDir } from "../helpers/temp.ts";

interface Status {
  frameworks: { name: string; files: { path: string; state: string }[]; conflicts: string[]; outdated: boolean }[];
}

async function status(cwd: string, ...args: string[]): Promise<Status["frameworks"]> {
  const { stdout } = await cli(["status", "--json", ...args], { cwd });
  return (document(stdout, "status") as unknown as Status).frameworks;
}

const unclean = (frameworks: Status["frameworks"]): string[] =>
  frameworks.flatMap(({ name, files }) =>
    files.filter(({ state }) => state !== "clean").map(({ path, state }) => `${name}/${path} ${state}`),
  );

describe("status", () => {
  it("finds everything clean in what was just made, and writes nothing", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "dspy");
    const before = snapshot(cwd);
    const frameworks = await status(cwd);
    expect(frameworks.map(({ name, outdated }) => [name, outdated])).toEqual([
      ["crewai", false],
      ["dspy", false],
    ]);
    expect(unclean(frameworks)).toEqual([]);
    expect((await cli(["status", "--check"], { cwd })).code).toBe(0);
    expect(snapshot(cwd)).toEqual(before);
  });

  it("takes a directory, as a shell completes it, for the framework's name", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "dspy");
    for (const typed of [
      "crewai",
      "crewai/",
      "frameworks/crewai",
      "./frameworks/crewai/",
      join(cwd, "frameworks/crewai"),
    ])
      expect(
        (await status(cwd, typed)).map(({ name }) => name),
        typed,
      ).toEqual(["crewai"]);
    for (const typed of ["../crewai", "other/crewai", "frameworks", "."]) {
      const { code, stderr } = await cli(["status", typed], { cwd });
      expect([typed, code, stderr]).toEqual([typed, 2, expect.stringContaining("is not a framework")]);
    }
  });

  it("names what was edited, deleted or is in conflict, and what .env overrides", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    const dir = join(cwd, "frameworks/crewai");
    fs.appendFileSync(join(dir, "README.md"), "mine\n");
    fs.removeSync(join(dir, "examples/connect.py"));
    fs.writeFileSync(join(dir, "compose.yaml.incoming"), "x");
    fs.writeFileSync(
      join(dir, ".env"),
      fs.readFileSync(join(dir, ".env"), "utf8").replace("BIND_ADDRESS=127.0.0.1", "BIND_ADDRESS=0.0.0.0"),
    );
    expect(unclean(await status(cwd))).toEqual([
      "crewai/README.md edited",
      "crewai/compose.yaml conflicted",
      "crewai/examples/connect.py missing",
    ]);
    const { stdout } = await cli(["status"], { cwd });
    expect(stdout).toContain(".env overrides BIND_ADDRESS");
    expect(stdout).not.toMatch(/[0-9a-f]{64}/);
    expect((await cli(["status", "--check"], { cwd })).code).toBe(4);
    fs.removeSync(join(dir, "compose.yaml.incoming"));
    expect((await cli(["status", "--check"], { cwd })).code).toBe(5);
  });

  it("sees that the templates, or the spec, moved on", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "dspy");
    fs.copySync(TEMPLATES, join(cwd, "newer"));
    fs.appendFileSync(join(cwd, "newer/services/qdrant/parts/recovery.hbs"), "\nMore.\n");
    expect(unclean(await status(cwd, "--templates", "newer"))).toEqual([
      "crewai/DISASTER_RECOVERY.md outdated",
      "dspy/DISASTER_RECOVERY.md outdated",
    ]);
    expect((await cli(["status", "--check", "--templates", "newer"], { cwd })).code).toBe(5);
    const spec = join(cwd, "frameworks/dspy/framework.yaml");
    fs.writeFileSync(spec, fs.readFileSync(spec, "utf8").replace("profile: small", "profile: large"));
    const outdated = (await status(cwd)).filter((framework) => framework.outdated).map(({ name }) => name);
    expect(outdated).toEqual(["dspy"]);
  });

  it("finds a clone clean but for its .env", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai");
    await run("git", ["init", "-q", cwd]);
    await run("git", ["-C", cwd, "add", "-A"]);
    await run("git", ["-C", cwd, "-c", "user.name=x", "-c", "user.email=x@x.example", "commit", "-qm", "x"]);
    const clone = join(tempDir(), "clone");
    await run("git", ["-c", "core.autocrlf=true", "clone", "-q", cwd, clone]);
    expect(unclean(await status(clone))).toEqual(["crewai/.env missing"]);
  });

  describe("of a clone without .env", () => {
    type Outcome = [number | null, string, string];

    /** Two frameworks without .env, and a docker that leaves a file when it is asked. */
    async function cloned(): Promise<{
      check: (...args: string[]) => Promise<Outcome>;
      env: NodeJS.ProcessEnv;
      root: string;
      wasAsked: () => boolean;
    }> {
      const cwd = tempDir();
      await make(cwd, "crewai", "dspy");
      for (const name of ["crewai", "dspy"]) fs.removeSync(join(cwd, "frameworks", name, ".env"));
      const bin = join(tempDir(), "bin");
      fs.outputFileSync(join(bin, "docker"), `#!/bin/sh\ntouch ${join(bin, "asked")}\necho crewai_postgres_data\n`, {
        mode: 0o755,
      });
      const env: NodeJS.ProcessEnv = { PATH: `${bin}:${process.env["PATH"] ?? ""}` };
      const check = async (...args: string[]): Promise<Outcome> => {
        const { code, stdout, stderr } = await cli(args, { cwd, env });
        return [code, stdout, stderr];
      };
      return { check, env, root: join(cwd, "frameworks"), wasAsked: () => fs.existsSync(join(bin, "asked")) };
    }

    const NOTE = "note: crewai, dspy: .env is missing; this counts as drift only with --require-env\n";
    const refusal = (error: string): unknown => expect.stringMatching(new RegExp(`^error: ${error}\nhint: .*\n$`));

    it.each(["status", "regenerate"])(
      "%s --check passes without an engine, and --require-env fails it",
      async (name) => {
        const { check, root, wasAsked } = await cloned();
        expect(await check(name, "--check")).toEqual([0, expect.any(String), NOTE]);
        expect(await check(name, "--check", "--json")).toEqual([0, expect.stringMatching(/^\{/), NOTE]);
        const missing = refusal(String.raw`\.env is missing in crewai, dspy`);
        expect(await check(name, "--check", "--require-env")).toEqual([5, expect.any(String), missing]);
        expect(await check(name, "--require-env")).toEqual([
          2,
          "",
          refusal("--require-env has no effect without --check"),
        ]);
        // What is out of date is drift all the same, and a conflict outranks it.
        const spec = join(root, "dspy/framework.yaml");
        fs.writeFileSync(spec, fs.readFileSync(spec, "utf8").replace("profile: small", "profile: medium"));
        expect((await check(name, "--check"))[0]).toBe(5);
        expect((await check(name, "--check", "--require-env"))[0]).toBe(5);
        fs.writeFileSync(join(root, "dspy/README.md.incoming"), "other\n");
        expect((await check(name, "--check", "--require-env"))[0]).toBe(4);
        if (name === "regenerate")
          expect((await check(name, "--check", "--ours=dspy/README.md"))[2]).not.toContain("has no conflict");
        expect(wasAsked()).toBe(false);
      },
    );

    it.each(["status", "regenerate"])("%s --check finds a .env that lost its secrets", async (name) => {
      const { check, root, wasAsked } = await cloned();
      fs.writeFileSync(join(root, "crewai/.env"), "");
      expect((await check(name, "--check"))[0]).toBe(5);
      expect(wasAsked()).toBe(false);
    });

    it("passes where nothing may be written", async () => {
      const { check, env } = await cloned();
      // Root may write everywhere: what the system would answer to anybody else.
      const preload = join(tempDir(), "read-only.cjs");
      fs.writeFileSync(
        preload,
        `const fs = require("node:fs"), real = fs.accessSync;
fs.accessSync = (path, mode) => {
  if (mode & fs.constants.W_OK) throw Object.assign(new Error("EROFS"), { code: "EROFS" });
  return real(path, mode);
};\n`,
      );
      env["NODE_OPTIONS"] = `--require ${preload}`;
      expect((await check("status", "--check"))[0]).toBe(0);
      expect((await check("regenerate", "--check"))[0]).toBe(0);
      // That it would be refused shows that the answer reached the program.
      expect((await check("regenerate", "--dry-run"))[0]).toBe(1);
    });
  });

  it("takes names, and says which there are", async () => {
    const cwd = tempDir();
    await make(cwd, "crewai", "dspy");
    expect((await status(cwd, "dspy")).map(({ name }) => name)).toEqual(["dspy"]);
    const { code, stderr } = await cli(["status", "nope"], { cwd });
    expect([code, stderr]).toEqual([2, expect.stringContaining("there are: crewai, dspy")]);
    expect((await cli(["status"], { cwd: tempDir() })).stdout).toContain("There is no framework yet");
  });
});
