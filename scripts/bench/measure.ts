import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Command {
  name: string;
  argv: readonly string[];
  cwd: string;
  env?: Record<string, string>;
  /** Time it in a terminal until it prints this. */
  until?: string;
}

export interface Figures {
  /** Seconds. */
  wall: number;
  cpu: number;
  /** Bytes; the largest single process. */
  rss: number;
}

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), "measure.py");

/** Runs the commands in turn, so that a drift of the machine's speed hits all alike. */
export function measure(commands: readonly Command[], runs: number, warmup = 2): Map<string, Figures[]> {
  // It adds a tenth of a second to every Node process, whatever it runs.
  const plan = { runs, warmup, commands: commands.map((command) => ({ ...command, unset: ["NODE_EXTRA_CA_CERTS"] })) };
  const { status, stdout, stderr } = spawnSync("python3", [SCRIPT], {
    input: JSON.stringify(plan),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`measuring failed: ${stderr}`);
  return new Map(Object.entries(JSON.parse(stdout) as Record<string, Figures[]>));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/** Median of the ratios pair by pair: steadier than the ratio of two medians. */
export function ratio(a: readonly Figures[], b: readonly Figures[], key: keyof Figures = "wall"): number {
  return median(a.map((figures, index) => figures[key] / (b[index]?.[key] ?? Number.NaN)));
}

export function row(name: string, figures: readonly Figures[]): string[] {
  const walls = figures.map(({ wall }) => wall * 1000);
  return [
    name,
    `${median(walls).toFixed(0)} ms`,
    `${Math.min(...walls).toFixed(0)}-${Math.max(...walls).toFixed(0)}`,
    `${(median(figures.map(({ rss }) => rss)) / 2 ** 20).toFixed(0)} MiB`,
  ];
}
