// npm run bench:backup: the emitted scripts beside bare `pg_dump -Fc` and `pg_restore` of the same data, in paired runs.
// Runs on the engine of the live tests (tests/live/run starts one). `--sizes 100,1000` in MB, `--runs 5`,
// `--cold` without the first round, which warms the caches and is not counted.
// The scripts compress at level 1 and the bare dump at its default, 6; a bare one at level 1 stands beside them.
import { spawn, spawnSync } from "node:child_process";
import fs from "fs-extra";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { formatTable } from "../../src/report/table.ts";
import { LAUNCHER } from "../../tests/helpers/cli.ts";
import { engineProblem, Stack } from "../../tests/helpers/engine.ts";
import { median } from "./measure.ts";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "100,1000" },
    runs: { type: "string", default: "5" },
    cold: { type: "boolean", default: false },
  },
});
const BAR = 1.05;
const problem = engineProblem();
if (problem !== undefined) {
  process.stderr.write(`error: this needs ${problem}\n`);
  process.exit(1);
}

interface Run {
  seconds: number;
  /** Of all Bash processes together, in MiB. */
  memory: number;
}

/** Runs a shell command and watches the memory of the Bash processes below it. Throws when it fails. */
async function timed(dir: string, command: string): Promise<Run> {
  const started = performance.now();
  const child = spawn("bash", ["-c", command], { cwd: dir, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  let memory = 0;
  const watch = setInterval(() => (memory = Math.max(memory, bashMemory(child.pid ?? 0))), 100);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}: ${said}`);
  return { seconds: (performance.now() - started) / 1000, memory };
}

/** Proportional memory, in MiB, of a process and those below it, as far as they are Bash. */
function bashMemory(pid: number): number {
  const read = (path: string): string => {
    try {
      return fs.readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  const children = read(`/proc/${String(pid)}/task/${String(pid)}/children`).trim();
  const own =
    read(`/proc/${String(pid)}/comm`).trim() === "bash"
      ? Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${String(pid)}/smaps_rollup`))?.[1] ?? 0) / 1024
      : 0;
  return own + children.split(" ").reduce((sum, child) => sum + (child === "" ? 0 : bashMemory(Number(child))), 0);
}

const cwd = fs.mkdtempSync(join(tmpdir(), "fi-bench-"));
const stack = new Stack(join(cwd, "frameworks", "bench"));
const psql = (database: string, sql: string): Promise<string> =>
  stack.ok("exec", "-T", "postgres", "psql", "-U", "postgres", "-d", database, "-qAtc", sql);
const INSIDE = "docker compose exec -T postgres";

/** Rows of what people store: text that compresses a little, numbers, times. */
async function fill(megabytes: number): Promise<void> {
  await psql("bench", "DROP TABLE IF EXISTS t");
  await psql(
    "bench",
    `CREATE TABLE t AS SELECT n AS id, md5(n::text) || md5((n * 7)::text) AS key, repeat(md5((n % 1000)::text), 3) AS note,
       n / 7.0 AS price, timestamptz '2026-01-01Z' + n * interval '1 second' AS at
     FROM generate_series(1, ${String(Math.round(megabytes * 4400))}) n`,
  );
  await psql("bench", "ALTER TABLE t ADD PRIMARY KEY (id)");
  await psql("bench", "CHECKPOINT");
}

type Name = "bare" | "bareFast" | "scripts" | "bareRestore" | "restore";

async function measure(runs: number): Promise<Record<Name, Run[]>> {
  const results: Record<Name, Run[]> = { bare: [], bareFast: [], scripts: [], bareRestore: [], restore: [] };
  for (let round = values.cold ? 1 : 0; round <= runs; round += 1) {
    const bare = await timed(
      stack.dir,
      `${INSIDE} pg_dump -U postgres -Fc bench >'${cwd}/bare.dump' && sync '${cwd}/bare.dump'`,
    );
    const scripts = await timed(stack.dir, "scripts/backup.sh --quiet postgres");
    const bareFast = await timed(
      stack.dir,
      `${INSIDE} pg_dump -U postgres -Fc -Z1 bench >'${cwd}/fast.dump' && sync '${cwd}/fast.dump'`,
    );
    await psql("postgres", "CREATE DATABASE beside");
    const bareRestore = await timed(
      stack.dir,
      `${INSIDE} pg_restore -U postgres --exit-on-error -d beside <'${cwd}/bare.dump'`,
    );
    await psql("postgres", "DROP DATABASE beside");
    const [newest = ""] = fs.readdirSync(join(stack.dir, "backups")).toSorted().toReversed();
    const restore = await timed(stack.dir, `scripts/restore.sh ${newest} --no-safety-set`);
    await stack.script("restore.sh", "--drop-old");
    if (round > 0)
      for (const [name, run] of Object.entries({ bare, bareFast, scripts, bareRestore, restore }))
        results[name as Name].push(run);
    process.stderr.write(`  round ${String(round)} of ${String(runs)}\n`);
  }
  return results;
}

const rows: string[][] = [];
let isAboveBar = false;
try {
  const made = spawnSync(process.execPath, [LAUNCHER, "new-framework", "bench", "--yes", "--services", "postgres"], {
    cwd,
  });
  if (made.status !== 0) throw new Error(String(made.stderr));
  stack.useTestImages();
  await stack.ok("up", "-d", "--wait");
  for (const size of values.sizes.split(",").map(Number)) {
    process.stderr.write(`filling ${String(size)} MB\n`);
    await fill(size);
    const stored = Number(await psql("bench", "SELECT pg_database_size('bench')")) / 1e6;
    const results = await measure(Number(values.runs));
    const seconds = (name: Name): number => median(results[name].map((run) => run.seconds));
    const ratio = (ours: Name, other: Name): number =>
      median(results[ours].map((run, index) => run.seconds / (results[other][index]?.seconds ?? Number.NaN)));
    const memory = Math.max(...[...results.scripts, ...results.restore].map((run) => run.memory));
    rows.push([
      `${stored.toFixed(0)} MB`,
      `${seconds("bare").toFixed(1)} s`,
      `${seconds("scripts").toFixed(1)} s`,
      ratio("scripts", "bare").toFixed(2),
      `${seconds("bareFast").toFixed(1)} s`,
      ratio("scripts", "bareFast").toFixed(2),
      `${seconds("bareRestore").toFixed(1)} s`,
      `${seconds("restore").toFixed(1)} s`,
      ratio("restore", "bareRestore").toFixed(2),
      `${memory.toFixed(0)} MiB`,
    ]);
    if (size === 1000 && (ratio("scripts", "bare") > BAR || ratio("restore", "bareRestore") > BAR)) isAboveBar = true;
  }
} finally {
  await stack.remove();
  fs.removeSync(cwd);
}
const head = [
  "data",
  "pg_dump -Fc",
  "backup.sh",
  "ratio",
  "pg_dump -Fc -Z1",
  "ratio",
  "pg_restore",
  "restore.sh",
  "ratio",
  "Bash",
];
for (const line of formatTable(head, rows)) process.stdout.write(`${line}\n`);
process.stdout.write(`bar at 1000 MB: ${String(BAR)}: ${isAboveBar ? "FAILS" : "holds, or was not measured"}\n`);
process.exitCode = isAboveBar ? 1 : 0;
