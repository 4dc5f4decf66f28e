import fs from "fs-extra";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { isFull } from "../helpers/arbitrary.ts";
import { cli, snapshot } from "../helpers/cli.ts";
import { HOSTILE, VICTIM_TEXT, type Hostile } from "../helpers/hostile.ts";
import { stamps, Workspace } from "../helpers/project-dir.ts";
import { newTempDir, removeDir, tempDir } from "../helpers/temp.ts";

// Longer than anything here may take on a busy machine, and much shorter than a hang.
const LIMIT_MS = 20_000;
const DOCUMENTED = [0, 1, 2, 3, 4, 5];

/** Commands about the whole root, about another framework than the hostile one, and about that one. */
const READING = [["ports"], ["status", "--json"], ["regenerate", "--dry-run", "--diff"]];
const ADDING = ["add-service", "qdrant", "dspy"];
const WRITING = [
  ["regenerate", "dspy"],
  ["remove-service", "qdrant", "dspy"],
  ["new-framework", "pocketflow", "--yes", "--services", "postgres"],
  ["remove-framework", "dspy", "--yes"],
];
const ON_IT = [
  ["status", "crewai"],
  ["regenerate", "crewai", "--diff"],
  ["regenerate", "crewai"],
  ["regenerate", "crewai", "--ours"],
  ["regenerate", "crewai", "--theirs"],
  ["add-service", "qdrant", "crewai"],
  ["remove-service", "qdrant", "crewai"],
  ["remove-framework", "crewai", "--yes"],
];

let clean: string;

beforeAll(async () => {
  clean = newTempDir();
  const work = new Workspace(clean);
  await work.make("crewai", "postgres");
  await work.make("dspy", "postgres");
  fs.outputFileSync(join(clean, "outside/secret"), `${VICTIM_TEXT}\n`);
  fs.outputFileSync(join(clean, "outside/logging.yaml"), `${VICTIM_TEXT}: 1\n`);
  fs.outputFileSync(join(clean, "outside/journal/data"), `${VICTIM_TEXT}\n`);
});
afterAll(() => removeDir(clean));

function laidOut(hostile: Hostile): { cwd: string; outside: string } {
  const cwd = tempDir();
  fs.copySync(clean, cwd, { preserveTimestamps: true });
  const outside = join(cwd, "outside");
  hostile.lay({ root: join(cwd, "frameworks"), bad: join(cwd, "frameworks/crewai"), outside });
  return { cwd, outside };
}

describe("a root with something hostile in it", () => {
  it.each(HOSTILE.map((hostile, index) => ({ ...hostile, index })))(
    "$name",
    async (hostile) => {
      const { cwd, outside } = laidOut(hostile);
      const sampled = <T>(commands: readonly T[], count: number): readonly T[] =>
        isFull ? commands : commands.filter((_, at) => (at + hostile.index) % Math.ceil(commands.length / count) === 0);
      const victims = [snapshot(outside), stamps(outside)];
      const wrong: string[] = [];
      const run = async (args: string[], allowed: readonly number[]): Promise<void> => {
        const { code, signal, stdout, stderr } = await cli(args, {
          cwd,
          timeout: LIMIT_MS,
          env: { CI_TOKEN: VICTIM_TEXT },
        });
        const say = (what: string): number => wrong.push(`${args.join(" ")}: ${what}: ${stderr.slice(0, 300)}`);
        if (signal !== null) say("did not end");
        else if (!allowed.includes(code ?? -1)) say(`ended with ${String(code)}`);
        if (/\bdefect\b|^\s+at /m.test(stderr)) say("a defect");
        if ((stdout + stderr).includes(VICTIM_TEXT)) say("shows what a link leads to");
        if (code !== 0 && code !== 4 && !stderr.includes("hint: ")) say("no hint");
        // Whatever is wrong with one, the others are listed.
        if (args[0] === "status" && args.includes("--json") && !stdout.includes('"name": "dspy"'))
          say("does not list dspy");
      };
      await Promise.all(
        READING.map((args) => run(args, [0, ...(hostile.reading ?? (args[0] === "ports" ? [] : [1]))])),
      );
      const writing = hostile.writing ?? [0];
      await run(ADDING, writing);
      for (const args of sampled(WRITING, 1)) await run(args, writing);
      for (const args of sampled(ON_IT, 1)) await run(args, DOCUMENTED);
      expect(wrong, wrong.join("\n")).toEqual([]);
      expect([snapshot(outside), stamps(outside)]).toEqual(victims);
    },
    300_000,
  );
});
