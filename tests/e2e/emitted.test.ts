import { spawnSync } from "node:child_process";
import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { CASES } from "../golden/cases.ts";
import { run } from "../helpers/cli.ts";
import { emit } from "../helpers/emit.ts";
import { leftOut } from "../helpers/left-out.ts";
import { pythonWith } from "../helpers/python.ts";

const below = (dir: string, ending: string): string[] =>
  fs.readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(ending));

describe.each(Object.keys(CASES))("%s", (name) => {
  it("has scripts that bash and sh can parse, and ShellCheck finds nothing in", async () => {
    const dir = await emit(name);
    const scripts = below(dir, ".sh");
    for (const script of scripts) {
      const shell = fs.readFileSync(join(dir, script), "utf8").startsWith("#!/bin/sh") ? "sh" : "bash";
      expect(await run(shell, ["-n", script], { cwd: dir })).toMatchObject({ code: 0, stderr: "" });
    }
    if (spawnSync("shellcheck", ["--version"]).status !== 0) {
      leftOut("ShellCheck of the emitted scripts", "shellcheck");
      return;
    }
    if (scripts.length > 0)
      expect(await run("shellcheck", scripts, { cwd: dir })).toMatchObject({ code: 0, stdout: "" });
  });

  it("has a Python example and formatter that compile", async () => {
    if (pythonWith() === undefined) {
      leftOut("compiling the emitted Python", "python3");
      return;
    }
    const dir = await emit(name);
    const check = "import sys; [compile(open(path).read(), path, 'exec') for path in sys.argv[1:]]";
    expect(await run("python3", ["-c", check, ...below(dir, ".py")], { cwd: dir })).toMatchObject({
      code: 0,
      stderr: "",
    });
  });
});
