// npm run bench:many: 10, 100 and 1,000 frameworks in one root, through the overflow segment of the ports.
// Prints what `ports`, `ports --check` and a further `new-framework` cost, per framework as well, and checks
// that no port has two holders.
import fs from "fs-extra";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { loadCatalogue } from "../../src/catalogue/load.ts";
import { readRoot } from "../../src/root/root.ts";
import { formatTable } from "../../src/report/table.ts";
import { fill } from "./fill.ts";
import { measure, median } from "./measure.ts";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const LAUNCHER = join(PROJECT, "bin", "framework-infra.js");
const catalogue = await loadCatalogue(join(PROJECT, "templates"));

const rows: string[][] = [];
for (const count of [10, 100, 1000]) {
  const dir = fs.mkdtempSync(join(tmpdir(), "fi-bench-"));
  try {
    const root = join(dir, "frameworks");
    fs.mkdirSync(root);
    await fill(root, count, catalogue);
    const { all, table } = await (await readRoot(root, "frameworks", catalogue)).claims();
    const highest = Math.max(...all.map((claim) => claim.port));
    if (all.length !== 3 * count || table.clashes().length > 0) throw new Error(`${String(count)}: wrong claims`);
    const run = (name: string, ...args: string[]) => ({ name, argv: [process.execPath, LAUNCHER, ...args], cwd: dir });
    const results = measure(
      [
        run("ports", "ports"),
        run("ports --check", "ports", "--check"),
        run("new-framework", "new-framework", "more-{run}", "--yes"),
      ],
      count === 1000 ? 5 : 9,
      1,
    );
    for (const [name, figures] of results) {
      const wall = median(figures.map((each) => each.wall)) * 1000;
      const memory = median(figures.map((each) => each.rss)) / 2 ** 20;
      rows.push([
        name,
        String(count),
        `${wall.toFixed(0)} ms`,
        `${(wall / count).toFixed(2)} ms`,
        `${memory.toFixed(0)} MiB`,
        String(highest),
      ]);
    }
  } finally {
    fs.removeSync(dir);
  }
}
for (const line of formatTable(
  ["command", "frameworks", "median", "per framework", "peak memory", "highest port"],
  rows,
))
  process.stdout.write(`${line}\n`);
