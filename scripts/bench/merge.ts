// npm run bench:merge: the merge corpus (tests/corpus) through the engine and, beside it, through `git merge-file`.
// Prints what each makes of it and says for each bar whether it holds; ends with 1 when one does not.
import { spawnSync } from "node:child_process";
import fs from "fs-extra";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { mergeFile } from "../../src/merge/merge.ts";
import { formatTable } from "../../src/report/table.ts";
import { pairs, type Pair } from "../../tests/corpus/corpus.ts";
import { judge, type Result, type Verdict } from "../../tests/corpus/oracle.ts";
import { median } from "./measure.ts";

const GOLDEN = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "tests", "golden", "crewai", "compose.yaml");
const BARS: Record<number, number> = { 1: 95, 2: 93, 3: 90 };
const failed: string[] = [];

function check(text: string, holds: boolean): void {
  process.stdout.write(`${holds ? "holds" : "FAILS"}  ${text}\n`);
  if (!holds) failed.push(text);
}

function engine({ file, ours, base, theirs }: Pair): Result {
  const outcome = mergeFile(file, ours, base, theirs);
  return "text" in outcome ? outcome.text : undefined;
}

function git(dir: string): (pair: Pair) => Result {
  return ({ ours, base, theirs }) => {
    const paths = [ours, base, theirs].map((text, index) => {
      const path = join(dir, String(index));
      fs.writeFileSync(path, text);
      return path;
    });
    const { status, stdout } = spawnSync("git", ["merge-file", "-p", ...paths], { encoding: "utf8" });
    if (status === null || status > 127) throw new Error("git merge-file could not be run");
    return status === 0 ? stdout : undefined;
  };
}

type Tally = Record<Verdict, number>;

function tallyOf(corpus: readonly Pair[], merge: (pair: Pair) => Result): Map<number, Tally> {
  const tallies = new Map<number, Tally>();
  for (const pair of corpus) {
    const tally = tallies.get(pair.size) ?? { right: 0, wrong: 0, refused: 0, conflict: 0, silent: 0 };
    tally[judge(pair, merge(pair))] += 1;
    tallies.set(pair.size, tally);
  }
  return tallies;
}

const share = ({ right, wrong, refused }: Tally): number => (right / (right + wrong + refused)) * 100;

function corpusTable(): void {
  const corpus = pairs();
  const dir = fs.mkdtempSync(join(tmpdir(), "fi-bench-"));
  try {
    const ours = tallyOf(corpus, engine);
    const results = [["this engine", ours] as const, ["git merge-file", tallyOf(corpus, git(dir))] as const];
    const rows = results.flatMap(([name, tallies]) =>
      [...tallies].map(([size, tally]) => [
        name,
        String(size),
        String(tally.right + tally.wrong + tally.refused),
        `${share(tally).toFixed(1)} %`,
        String(tally.wrong),
        String(tally.conflict + tally.silent),
        String(tally.silent),
      ]),
    );
    const head = ["", "edits a side", "mergeable", "clean and correct", "wrong", "contradictions", "silently resolved"];
    process.stdout.write(`${String(corpus.length)} pairs\n\n`);
    for (const line of formatTable(head, rows)) process.stdout.write(`  ${line}\n`);
    process.stdout.write("\n");
    for (const [size, tally] of ours) {
      const bar = BARS[size] ?? 100;
      check(
        `${String(size)} edits a side: at least ${String(bar)} % clean and correct (${share(tally).toFixed(1)} %)`,
        share(tally) >= bar,
      );
      check(`${String(size)} edits a side: nothing wrong, nothing silently resolved`, tally.wrong + tally.silent === 0);
    }
  } finally {
    fs.removeSync(dir);
  }
}

/** One merge of a compose file of about 300 lines: the first in a process, and the median of many. */
function timing(): void {
  const lines = fs.readFileSync(GOLDEN, "utf8").split("\n");
  // Cut before a service, so that what is left is whole; the top-level keys behind them are not needed.
  const end = lines.findIndex((line, index) => index >= 300 && line === "");
  const base = `${lines.slice(0, end).join("\n")}\n`;
  const ours = base.replace("restart: unless-stopped", "restart: always");
  const theirs = base.replaceAll("start_period: 30s", "start_period: 60s");
  const one = (): number => {
    const start = performance.now();
    const outcome = mergeFile("compose.yaml", ours, base, theirs);
    if (
      !("text" in outcome) ||
      !outcome.text.includes("restart: always") ||
      !outcome.text.includes("start_period: 60s")
    )
      throw new Error("the merge that is timed went wrong");
    return performance.now() - start;
  };
  const first = one();
  const times = Array.from({ length: 101 }, one);
  const typical = median(times);
  check(
    `a merge of a compose file of ${String(end)} lines takes less than 20 ms (median of 101: ${typical.toFixed(1)} ms; the first in a process: ${first.toFixed(0)} ms)`,
    typical < 20,
  );
}

timing();
corpusTable();
process.exitCode = failed.length > 0 ? 1 : 0;
