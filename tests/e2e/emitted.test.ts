import { spawnSync } from "node:child_process";
import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { CASES } from "../golden/cases.ts";
import { treeOf } from "../helpers/catalogue.ts";
import { run } from "../helpers/cli.ts";
import { leftOut } from "../helpers/left-out.ts";
import { pythonWith } from "../helpers/python.ts";
import { tempDir } from "../helpers/temp.ts";

/** A case's directory on disk. */
async function emit(name: string): Promise<string> {
  const dir = tempDir();
  for (const [path, file] of await treeOf(CASES[name] ?? {}))
    fs.outputFileSync(join(dir, path), file.content, { mode: file.mode });
  return dir;
}

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

describe("config/logging.yaml", () => {
  const PROGRAM = `
import logging, logging.config, sys, yaml
logging.config.dictConfig(yaml.safe_load(open("config/logging.yaml")))
log = logging.getLogger("agents.research")
log.debug("not shown")
log.info("a\\nb %s", '"quoted"', extra={"user": {"id": 1}, "trace_id": "0af7651916cd43dd8448eb211c80319c"})
log.warning("odd", extra={"loss": float("nan"), "pairs": {(1, 2): {3}}, "thing": object}, stack_info=True)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("it failed")
`;

  it("loads with dictConfig and writes one JSON object a line, by the OpenTelemetry names", async () => {
    const python = pythonWith("yaml");
    if (python === undefined) {
      leftOut("loading config/logging.yaml", "python3 with PyYAML");
      return;
    }
    const dir = await emit("crewai");
    const { code, stdout, stderr } = await run(python, ["-c", PROGRAM], { cwd: dir });
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({
      Timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      SeverityText: "INFO",
      SeverityNumber: 9,
      Body: 'a\nb "quoted"',
      TraceId: "0af7651916cd43dd8448eb211c80319c",
      Attributes: { user: { id: 1 } },
      Resource: { "service.name": "crewai" },
    });
    expect(lines[1]).toMatchObject({
      Attributes: { loss: "nan", pairs: { "(1, 2)": [3] }, "code.stacktrace": expect.stringContaining("Stack (most") },
    });
    expect(lines[2]).toMatchObject({
      SeverityNumber: 17,
      Attributes: {
        "exception.type": "ZeroDivisionError",
        "exception.stacktrace": expect.stringContaining("division by zero"),
      },
    });
  });

  it("takes LOG_LEVEL by its helper", async () => {
    const python = pythonWith("yaml");
    if (python === undefined) {
      leftOut("LOG_LEVEL in the emitted logging", "python3 with PyYAML");
      return;
    }
    const dir = await emit("crewai");
    const program = "import logging\nfrom config.json_logging import configure\nconfigure()\nlogging.debug('shown')\n";
    const { stdout } = await run(python, ["-c", program], { cwd: dir, env: { LOG_LEVEL: "debug" } });
    expect(JSON.parse(stdout)).toMatchObject({ Body: "shown", SeverityNumber: 5 });
  });
});
