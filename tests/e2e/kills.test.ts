import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { isFull } from "../helpers/arbitrary.ts";
import { Crash, type Scenario } from "../helpers/crash.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { byTwo, onFreePorts, pick } from "../helpers/sweep.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

onFreePorts();

/** Made once, and reached from every copy of a root. */
const NEWER = "../../newer";
const README = "framework/emit/README.md.hbs";
const COMPOSE = "services/postgres/compose.yaml.hbs";

const FIX = ["ports", "--fix"];
const REGENERATE = ["regenerate"];
const UPDATE = ["regenerate", "--templates", NEWER];
const make = (name: string): string[] => ["new-framework", name, "--yes", "--services", "qdrant,postgres"];

/** Two frameworks, one of them with edits and a file of somebody's own. */
async function two(work: Workspace, services?: string): Promise<void> {
  await work.make("crewai", services);
  await work.make("dspy", "qdrant");
  work.edit("crewai/compose.yaml", "QDRANT_MEMORY_LIMIT:-1g", "QDRANT_MEMORY_LIMIT:-3g # ours");
  work.write("crewai/config/own.yaml", "mine: true\n");
}

const SCENARIOS: Scenario[] = [
  {
    name: "new-framework in a directory without a root",
    start: () => Promise.resolve(),
    args: ["new-framework", "crewai", "--yes"],
    next: [["new-framework", "other", "--yes", "--services", "qdrant"]],
    last: ["new-framework", "third", "--yes", "--services", "qdrant"],
  },
  {
    name: "new-framework beside another one",
    start: two,
    args: make("agents"),
    next: [FIX, REGENERATE],
    refused: make("dspy"),
  },
  {
    name: "new-framework where remove-framework left the .env",
    start: async (work) => {
      await two(work);
      await work.ok("remove-framework", "crewai", "--yes");
    },
    args: make("crewai"),
    next: [FIX, REGENERATE],
    refused: make("dspy"),
  },
  {
    name: "add-service",
    start: two,
    args: ["add-service", "langfuse", "crewai"],
    next: [FIX, REGENERATE],
    refused: make("dspy"),
  },
  {
    name: "remove-service",
    start: async (work) => two(work, "langfuse,qdrant"),
    args: ["remove-service", "langfuse", "crewai"],
    next: [FIX, REGENERATE],
    refused: make("dspy"),
  },
  {
    name: "regenerate, which merges templates and a spec into two edited frameworks,",
    start: async (work) => {
      for (const name of ["crewai", "dspy"]) {
        await work.make(name, "postgres");
        work.edit(`${name}/compose.yaml`, "restart: unless-stopped", "restart: always # ours");
        work.edit(`${name}/framework.yaml`, "services:\n", "services:\n  qdrant: {}\n");
      }
    },
    args: UPDATE,
    through: [[...UPDATE, "crewai"]],
    apart: [[...UPDATE, "dspy"]],
    next: [FIX],
    refused: make("dspy"),
  },
  {
    name: "regenerate --theirs, which resolves a conflict,",
    start: async (work) => {
      await two(work);
      work.edit("crewai/compose.yaml", "shm_size: 256m", "shm_size: 1g");
      work.edit("crewai/README.md", "## Start and stop", "## How we start it");
      const { code, stderr } = await work.run(...UPDATE);
      if (code !== 4) throw new Error(`no conflict: ${stderr}`);
    },
    args: [...UPDATE, "--theirs"],
    next: [FIX, UPDATE],
    refused: make("dspy"),
  },
  {
    name: "remove-framework",
    start: two,
    args: ["remove-framework", "crewai", "--yes"],
    next: [FIX, REGENERATE],
    refused: make("dspy"),
  },
  {
    name: "remove-framework --purge-secrets, which leaves nothing,",
    start: async (work) => {
      await work.make("crewai");
      await work.make("dspy", "qdrant");
    },
    args: ["remove-framework", "crewai", "--yes", "--purge-secrets"],
    next: [FIX, REGENERATE],
    refused: make("dspy"),
  },
  {
    name: "ports --fix, which moves two of three frameworks with the same ports,",
    start: async (work) => {
      for (const name of ["bb", "cc", "crewai"]) {
        const root = `../root-of-${name}`;
        await work.ok(...make(name), "--preset", "crewai", "--root", root);
        mkdirSync(work.path(""), { recursive: true });
        renameSync(join(work.cwd, root, name), work.path(name));
        removeDir(join(work.cwd, root));
      }
      await work.ok("regenerate");
    },
    args: FIX,
    next: [REGENERATE, ["add-service", "postgres", "crewai"]],
    refused: make("cc"),
  },
];

/** How much of each scenario is tried; the full run tries every call, and every error at each. */
const KILLS = 6;
const CODES = ["ENOSPC", "EIO", "EACCES", "+EROFS"];
const FAILURES = 3;

/** A sample of a command's calls, and those around the decisive one: some way behind it, it, and the next one. */
function points({ calls, decisive }: Crash, wanted: number): number[] {
  const around = [decisive + 5, decisive, decisive + 1].filter((n) => n <= calls.length);
  return [...new Set([...around, ...pick(calls.length, wanted)])];
}

/** Without both ends, where the lock is taken and given back. */
const inner = (total: number): number[] => (isFull ? pick(total, total) : pick(total, 6).slice(2, -2));
const TIMEOUT = isFull ? 3_600_000 : 120_000;

const base = newTempDir();
beforeAll(() => {
  new Workspace(base).newer({
    [README]: (text) => text.replace("## Start and stop", "## Starting"),
    [COMPOSE]: (text) =>
      text.replace("stop_grace_period: 60s", "stop_grace_period: 90s").replace("shm_size: 256m", "shm_size: 512m"),
  });
});
afterAll(() => {
  removeDir(base);
});

describe.each(SCENARIOS.map((scenario, index) => [scenario.name, scenario, index] as const))(
  "%s",
  (_, scenario, index) => {
    let crash: Crash;
    beforeAll(async () => {
      crash = await Crash.of(scenario, join(base, String(index)));
    }, TIMEOUT);

    it(
      "killed before any of its writes, shows git no secret, and is done or undone whole by the next command",
      async () => {
        const problems = await byTwo(points(crash, KILLS), async (n) => crash.killed(n));
        expect(problems.flat()).toEqual([]);
      },
      TIMEOUT,
    );

    it(
      "killed, and the next command killed too, shows git no secret, and is done or undone whole by the one after that",
      async () => {
        // Where much of it is prepared, and where it is decided.
        const half = Math.ceil(crash.calls.length * 0.55);
        const problems = await byTwo([half, crash.decisive + 1], async (n) => crash.killedTwice(n, inner));
        expect(problems.flat()).toEqual([]);
      },
      TIMEOUT,
    );

    it(
      "refused any of its writes, says so without a trace, shows git no secret, and is done or undone whole by the next command",
      async () => {
        const cases = points(crash, FAILURES).flatMap((n, at) =>
          CODES.filter((_code, turn) => isFull || turn === at % CODES.length).map((code) => [n, code] as const),
        );
        const problems = await byTwo(cases, async ([n, code]) => crash.failed(n, code));
        expect(problems.flat()).toEqual([]);
      },
      TIMEOUT,
    );

    it(
      "refused what makes its decision last, and killed while it undoes that, is done or undone whole by the next command",
      async () => {
        const later = isFull ? Array.from({ length: 40 }, (_none, at) => at + 1) : [3, 8];
        const problems = await byTwo(later, async (calls) => crash.failedAndKilled(crash.decisive + 1, calls));
        expect(problems.flat()).toEqual([]);
      },
      TIMEOUT,
    );
  },
);
