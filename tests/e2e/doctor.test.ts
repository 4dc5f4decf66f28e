import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { cli } from "../helpers/cli.ts";
import { document } from "../helpers/schemas.ts";
import { tempDir } from "../helpers/temp.ts";

interface Check {
  id: string;
  outcome: string;
  message: string;
  fix: string;
}

/** Runs `doctor` with a program in docker's place; none where the script is empty. */
async function doctor(
  script: string,
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const cwd = tempDir();
  const bin = join(cwd, "bin");
  fs.mkdirSync(bin);
  if (script !== "") fs.writeFileSync(join(bin, "docker"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  // Node itself, and what the script needs; not this machine's docker.
  for (const program of ["node", "sh", "sleep", "cat"]) {
    const found = (process.env["PATH"] ?? "")
      .split(":")
      .map((dir) => join(dir, program))
      .find((path) => fs.existsSync(path));
    if (found !== undefined) fs.symlinkSync(found, join(bin, program));
  }
  return cli(["doctor", ...args], { cwd, env: { PATH: bin, DOCKER_HOST: "" }, timeout: 60_000 });
}

const engineOf = (stdout: string): Check | undefined =>
  (document(stdout, "doctor") as unknown as { checks: Check[] }).checks.find(({ id }) => id === "engine");

describe("doctor", () => {
  it.each([
    ["is not installed", "", /not installed/],
    [
      "is not running",
      "echo 'Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?' >&2; exit 1",
      /not running/,
    ],
    [
      "may not be used",
      "echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1",
      /may not use/,
    ],
    [
      "is in another context",
      "echo 'Current context \"gone\" is not found on the file system' >&2; exit 1",
      /another engine/,
    ],
    [
      "says so inside",
      'echo \'{"ServerErrors":["Cannot connect to the Docker daemon. Is the docker daemon running?"]}\'',
      /not running/,
    ],
    ["says something else", "echo 'no idea' >&2; exit 1", /docker failed: no idea/],
  ])("tells that docker %s, and what helps", async (_, script, message) => {
    const { code, stdout } = await doctor(script, "--json");
    expect([code, engineOf(stdout)]).toEqual([
      1,
      { id: "engine", outcome: "fail", message: expect.stringMatching(message), fix: expect.stringMatching(/\w/) },
    ]);
  });

  it("waits ten seconds for an engine that does not answer, for all questions together", async () => {
    const started = performance.now();
    const { code, stdout } = await doctor("exec sleep 60", "--json");
    expect([code, engineOf(stdout)?.message]).toEqual([1, expect.stringMatching(/within ten seconds/)]);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it("names each finding with what helps, and takes no argument", async () => {
    const { code, stdout, stderr } = await doctor("exit 1");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail {5}engine: docker failed, and did not say why$/m);
    expect(stderr).toMatch(/^error: engine: this host is not fit\nhint: /);
    expect((await doctor("", "crewai")).code).toBe(2);
    expect((await doctor("", "--report", "--json")).code).toBe(2);
  });

  it("prints a report that names nobody", async () => {
    const secret = "tcp://admin:hunter2@internal.example:2375";
    const { code, stdout } = await doctor(`echo 'Cannot connect to ${secret}' >&2; exit 1`, "--report");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^framework-infra \d+\.\d+\.\d+, Node v\d+/);
    expect(stdout).toMatch(/^fail {5}engine$/m);
    expect(stdout).not.toMatch(/hunter2|internal\.example/);
  });
});
