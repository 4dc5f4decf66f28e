// Part of npm run bench: regenerate over 10, 100 and 1,000 frameworks, with nothing to do and with one changed template.
import fs from "fs-extra";
import { join } from "node:path";

import { loadCatalogue } from "../../src/catalogue/load.ts";
import { formatTable } from "../../src/report/table.ts";
import { fill } from "./fill.ts";
import { measure, median, type Figures } from "./measure.ts";

interface Measured {
  /** Milliseconds for 1,000 frameworks with nothing to do. */
  idle: number;
  /** MiB. */
  memory: number;
  /** What one framework costs of 1,000, over what it costs of 100: above 1, the cost grows with their number. */
  growth: number;
}

const TEMPLATE = "framework/emit/README.md.hbs";

/** Prints the table. @param place an empty directory */
export async function benchRegenerate(project: string, place: string): Promise<Measured> {
  const catalogue = await loadCatalogue(join(project, "templates"));
  const launcher = join(project, "bin", "framework-infra.js");
  const rows: string[][] = [];
  const each = new Map<string, number[]>();
  let last: Figures[] = [];
  for (const count of [10, 100, 1000]) {
    const cwd = join(place, String(count));
    const root = join(cwd, "frameworks");
    fs.ensureDirSync(root);
    await fill(root, count, catalogue);
    for (const edition of ["a", "b"]) {
      fs.copySync(join(project, "templates"), join(cwd, edition));
      fs.appendFileSync(join(cwd, edition, TEMPLATE), `\nEdition ${edition}.\n`);
    }
    const argv = [process.execPath, launcher, "regenerate"];
    // Each run finds the other edition on disk, so each has one file to update in every directory.
    const runs = count === 1000 ? 5 : 9;
    const idle = measure([{ name: "nothing to do", argv, cwd }], runs, 1).get("nothing to do") ?? [];
    const toggle = `${process.execPath} ${launcher} regenerate --templates $(cat edition 2>/dev/null || echo a); [ "$(cat edition 2>/dev/null)" = b ] && echo a > edition || echo b > edition`;
    const changed = measure([{ name: "changed", argv: ["sh", "-c", toggle], cwd }], runs, 1).get("changed") ?? [];
    for (const [name, figures] of [["nothing to do", idle] as const, ["one changed template", changed] as const]) {
      const wall = median(figures.map((one) => one.wall)) * 1000;
      each.set(name, [...(each.get(name) ?? []), wall / count]);
      const memory = median(figures.map((one) => one.rss)) / 2 ** 20;
      rows.push([
        name,
        String(count),
        `${wall.toFixed(0)} ms`,
        `${(wall / count).toFixed(2)} ms`,
        `${memory.toFixed(0)} MiB`,
      ]);
    }
    last = idle;
    fs.removeSync(cwd);
  }
  process.stdout.write("\nregenerate over many frameworks\n");
  for (const line of formatTable(["", "frameworks", "median", "per framework", "peak memory"], rows))
    process.stdout.write(`  ${line}\n`);
  const growth = Math.max(...[...each.values()].map(([, hundred = 0, thousand = 0]) => thousand / hundred));
  return {
    idle: median(last.map(({ wall }) => wall)) * 1000,
    memory: median(last.map(({ rss }) => rss)) / 2 ** 20,
    growth,
  };
}
