// Part of npm run bench: this program against an earlier version of itself, in paired runs.
import { spawnSync } from "node:child_process";
import fs from "fs-extra";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tsImport } from "tsx/esm/api";

import { formatTable } from "../../src/report/table.ts";
import { measure, ratio, row, type Command, type Figures } from "./measure.ts";

/** The version before the use cases: one file for each command, in ES modules. */
const COMMIT = "fcf4739";
const FRAMEWORKS = 1000;
const TEMPLATE = "framework/emit/README.md.hbs";

export interface Ratios {
  create: number;
  prompt: number;
  idle: number;
  changed: number;
}

interface Fill {
  fill: (root: string, count: number, catalogue: unknown) => Promise<void>;
}

interface Load {
  loadCatalogue: (folder: string) => Promise<unknown>;
}

/** Prints the table. @param place an empty directory @returns how long it takes now, over how long it took */
export async function benchBefore(project: string, place: string, runs: number): Promise<Ratios> {
  const old = join(place, "before");
  checkOut(project, old);
  const programs = { now: project, before: old };
  const node = process.execPath;
  const launcher = (tree: string): string => join(tree, "bin", "framework-infra.js");
  const results = new Map<string, Map<string, Figures[]>>();
  const pair = (name: string, make: (tree: string, which: string) => Omit<Command, "name">, count: number): number => {
    const commands = Object.entries(programs).map(([which, tree]) => ({ name: which, ...make(tree, which) }));
    const measured = measure(commands, count);
    results.set(name, measured);
    return ratio(measured.get("now") ?? [], measured.get("before") ?? []);
  };
  const made = join(place, "made");
  fs.ensureDirSync(made);
  const create = pair(
    "new-framework --yes",
    (tree, which) => ({
      argv: [node, launcher(tree), "new-framework", "crewai", "--yes", "--root", `${made}/${which}{run}`],
      cwd: place,
    }),
    runs,
  );
  const prompt = pair(
    "first prompt",
    (tree) => ({ argv: [node, launcher(tree), "new-framework"], cwd: place, until: "Which framework" }),
    runs,
  );
  for (const [which, tree] of Object.entries(programs)) await fillRoot(tree, join(place, which + "-root"));
  const cwdOf = (which: string): string => join(place, which + "-root");
  const idle = pair(
    `regenerate ${String(FRAMEWORKS)}, nothing to do`,
    (tree, which) => ({ argv: [node, launcher(tree), "regenerate"], cwd: cwdOf(which) }),
    5,
  );
  // Each run finds the other edition on disk, so each has one file to update in every directory.
  const changed = pair(
    `regenerate ${String(FRAMEWORKS)}, one changed template`,
    (tree, which) => {
      const toggle = `${node} ${launcher(tree)} regenerate --templates $(cat edition 2>/dev/null || echo a); [ "$(cat edition 2>/dev/null)" = b ] && echo a > edition || echo b > edition`;
      return { argv: ["sh", "-c", toggle], cwd: cwdOf(which) };
    },
    5,
  );
  process.stdout.write(`\nAgainst ${COMMIT}, paired runs\n`);
  const rows = [...results].flatMap(([name, measured]) =>
    [...measured].map(([which, figures]) => [name, ...row(which, figures)]),
  );
  for (const line of formatTable(["", "", "median", "range", "peak memory"], rows)) process.stdout.write(`  ${line}\n`);
  return { create, prompt, idle, changed };
}

/** The earlier version, built with today's packages: its own are the same. */
function checkOut(project: string, target: string): void {
  const run = (command: string, args: readonly string[], cwd: string): void => {
    const { status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  };
  run("git", ["clone", "-q", "--no-checkout", project, target], project);
  run("git", ["checkout", "-q", COMMIT], target);
  fs.ensureSymlinkSync(join(project, "node_modules"), join(target, "node_modules"));
  run(process.execPath, ["scripts/build.mjs"], target);
}

async function fillRoot(tree: string, cwd: string): Promise<void> {
  const root = join(cwd, "frameworks");
  fs.ensureDirSync(root);
  const from = pathToFileURL(join(tree, "scripts/bench/any.ts")).href;
  const { fill } = (await tsImport("./fill.ts", from)) as Fill;
  const { loadCatalogue } = (await tsImport("../../src/catalogue/load.ts", from)) as Load;
  await fill(root, FRAMEWORKS, await loadCatalogue(join(tree, "templates")));
  for (const edition of ["a", "b"]) {
    fs.copySync(join(tree, "templates"), join(cwd, edition));
    fs.appendFileSync(join(cwd, edition, TEMPLATE), `\nEdition ${edition}.\n`);
  }
}
