// npm run bench: whole-process time and peak memory, in paired runs. Prints a table and says for each bar
// whether it holds; ends with 1 when one does not. Needs python3 and the npm registry (for hygen).
//
//   --runs N       counted runs of each command (default 15)
//   --only A,B     some of: rivals, prompt, many, before (default all)
import { spawnSync } from "node:child_process";
import * as nodeModule from "node:module";
import fs from "fs-extra";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { formatTable } from "../../src/report/table.ts";
import { benchBefore } from "./before.ts";
import { measure, median, ratio, row, type Command, type Figures } from "./measure.ts";
import { benchRegenerate } from "./regenerate.ts";
import { setUpRivals } from "./rivals.ts";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const LAUNCHER = join(PROJECT, "bin", "framework-infra.js");
const { values } = parseArgs({
  options: { runs: { type: "string", default: "15" }, only: { type: "string", default: "" } },
});
const runs = Number(values.runs);
const node = process.execPath;

interface Bar {
  text: string;
  value: number;
  limit: number;
}

const bars: Bar[] = [];

function print(title: string, results: ReadonlyMap<string, Figures[]>, base: string): void {
  process.stdout.write(`\n${title}\n`);
  const against = results.get(base) ?? [];
  const rows = [...results].map(([name, figures]) => [
    ...row(name, figures),
    `${ratio(figures, against).toFixed(2)} x`,
  ]);
  for (const line of formatTable(["", "median", "range", "peak memory", `/ ${base}`], rows))
    process.stdout.write(`  ${line}\n`);
}

function of(results: ReadonlyMap<string, Figures[]>, name: string): Figures[] {
  const found = results.get(name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

function filesOf(dir: string): Map<string, number> {
  const made = join(dir, "made");
  spawnSync(node, [LAUNCHER, "new-framework", "crewai", "--yes", "--root", made], { stdio: "ignore" });
  const root = join(made, "crewai");
  const entries = fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => [
      join(entry.parentPath, entry.name).slice(root.length + 1),
      fs.statSync(join(entry.parentPath, entry.name)).size,
    ]),
  );
}

function benchIn(place: string, folder: string): void {
  const dir = fs.mkdtempSync(join(folder, "fi-bench-"));
  try {
    const files = filesOf(dir);
    const rivals = setUpRivals(join(dir, "rivals"), PROJECT, files);
    const out = join(dir, "out");
    const commands: Command[] = [
      { name: "node -e 0", argv: [node, "-e", "0"], cwd: dir },
      {
        name: "new-framework",
        argv: [node, LAUNCHER, "new-framework", "crewai", "--yes", "--root", `${out}/a{run}`],
        cwd: dir,
      },
      {
        name: "plop addMany",
        argv: [
          node,
          join(PROJECT, "node_modules/plop/bin/plop.js"),
          "--plopfile",
          "plopfile.mjs",
          "stack",
          `${out}/b{run}`,
          "crewai",
        ],
        cwd: rivals.dir,
      },
      {
        name: "hygen",
        argv: [node, rivals.hygen, "stack", "new", "--root", `${out}/c{run}`, "--name", "crewai"],
        cwd: rivals.dir,
        env: { HYGEN_OVERWRITE: "1" },
      },
      {
        name: "npm: new-framework",
        argv: ["npm", "run", "-s", "new-framework", "--", "crewai", "--yes", "--root", `${out}/d{run}`],
        cwd: PROJECT,
      },
      {
        name: "npm: plop addMany",
        argv: ["npm", "run", "-s", "plop", "--", `${out}/e{run}`, "crewai"],
        cwd: rivals.dir,
      },
    ];
    const results = measure(commands, runs);
    for (const letter of ["b", "c", "e"]) {
      const written = fs
        .readdirSync(join(out, `${letter}0`), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile()).length;
      if (written !== files.size)
        throw new Error(`rival ${letter} wrote ${String(written)} files, not ${String(files.size)}`);
    }
    print(`${place}: ${String(files.size)} files, ${String(runs)} paired runs`, results, "node -e 0");
    const ours = of(results, "new-framework");
    bars.push(
      {
        text: `${place}: new-framework / plop addMany`,
        value: ratio(ours, of(results, "plop addMany")),
        limit: 0.35,
      },
      { text: `${place}: new-framework / hygen`, value: ratio(ours, of(results, "hygen")), limit: 1 },
      { text: `${place}: peak memory, MiB`, value: median(ours.map(({ rss }) => rss)) / 2 ** 20, limit: 90 },
      {
        text: `${place}: through npm run, / plop through npm run`,
        value: ratio(of(results, "npm: new-framework"), of(results, "npm: plop addMany")),
        limit: 0.5,
      },
    );
  } finally {
    fs.removeSync(dir);
  }
}

function benchPrompt(): void {
  const dir = fs.mkdtempSync(join(tmpdir(), "fi-bench-"));
  try {
    const results = measure(
      [
        { name: "node -e 0", argv: [node, "-e", "0"], cwd: dir },
        { name: "first prompt", argv: [node, LAUNCHER, "new-framework"], cwd: dir, until: "Which framework" },
      ],
      runs,
    );
    print(`First prompt on the screen, ${String(runs)} paired runs`, results, "node -e 0");
    bars.push({
      text: "first prompt / node -e 0",
      value: ratio(of(results, "first prompt"), of(results, "node -e 0")),
      limit: 6,
    });
  } finally {
    fs.removeSync(dir);
  }
}

async function benchMany(): Promise<void> {
  const dir = fs.mkdtempSync(join(tmpdir(), "fi-bench-"));
  try {
    const { idle, memory: peak, growth } = await benchRegenerate(PROJECT, dir);
    bars.push(
      { text: "regenerate 1,000 with nothing to do, ms", value: idle, limit: 3000 },
      { text: "its peak memory, MiB", value: peak, limit: 300 },
      { text: "cost of one framework, of 1,000 / of 100", value: growth, limit: 1.1 },
    );
  } finally {
    fs.removeSync(dir);
  }
}

/** Against the version before; from Node 22.8 on, V8's compile cache is there as well. */
async function benchAgainstBefore(): Promise<void> {
  const dir = fs.mkdtempSync(join(tmpdir(), "fi-bench-"));
  try {
    const { create, prompt, idle, changed } = await benchBefore(PROJECT, dir, runs);
    bars.push(
      {
        text: "new-framework --yes, now / before",
        value: create,
        limit: "enableCompileCache" in nodeModule ? 0.6 : 0.75,
      },
      { text: "first prompt, now / before", value: prompt, limit: 0.75 },
      { text: "regenerate 1,000 with nothing to do, now / before", value: idle, limit: 1 },
      { text: "regenerate 1,000 with one changed template, now / before", value: changed, limit: 0.6 },
    );
  } finally {
    fs.removeSync(dir);
  }
}

const only = values.only.split(",").filter((name) => name !== "");
const wanted = (name: string): boolean => only.length === 0 || only.includes(name);
const memory = "/dev/shm";
if (wanted("rivals")) {
  if (fs.existsSync(memory)) benchIn("tmpfs", memory);
  else process.stdout.write(`left out: tmpfs (needs ${memory})\n`);
  benchIn("disk", tmpdir());
}
if (wanted("prompt")) benchPrompt();
if (wanted("many")) await benchMany();
if (wanted("before")) await benchAgainstBefore();

process.stdout.write("\nBars\n");
const failed = bars.filter(({ value, limit }) => !(value <= limit));
for (const { text, value, limit } of bars)
  process.stdout.write(
    `  ${value <= limit ? "holds" : "FAILS"}  ${text}: ${value.toFixed(2)} (at most ${String(limit)})\n`,
  );
process.exitCode = failed.length === 0 ? 0 : 1;
