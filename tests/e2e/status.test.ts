import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { cli, run, snapshot } from "../helpers/cli.ts";
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

async function make(cwd: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    const { code, stderr } = await cli(["new-framework", name, "--yes", "--services", "qdrant,postgres"], { cwd });
    if (code !== 0) throw new Error(stderr);
  }
}

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
    // A CI job has no .env, need not make one, and asks no engine for volumes.
    const bin = join(tempDir(), "bin");
    fs.outputFileSync(join(bin, "docker"), `#!/bin/sh\ntouch ${join(bin, "asked")}\necho crewai_postgres_data\n`, {
      mode: 0o755,
    });
    const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}` };
    for (const command of ["status", "regenerate"]) {
      const passed = await cli([command, "--check"], { cwd: clone, env });
      expect([command, passed.code, passed.stderr]).toEqual([
        command,
        0,
        expect.stringMatching(/^(?:$|note: crewai: no \.env)/),
      ]);
      const strict = await cli([command, "--check", "--require-env"], { cwd: clone, env });
      expect([command, strict.code, strict.stderr]).toEqual([
        command,
        5,
        expect.stringContaining(".env is missing in crewai"),
      ]);
    }
    expect(fs.readdirSync(bin)).toEqual(["docker"]);
    const spec = join(clone, "frameworks/crewai/framework.yaml");
    fs.writeFileSync(spec, fs.readFileSync(spec, "utf8").replace("profile: small", "profile: medium"));
    expect((await cli(["regenerate", "--check"], { cwd: clone, env })).code).toBe(5);
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
