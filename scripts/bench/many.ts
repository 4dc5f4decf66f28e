// npm run bench:many: 10, 100 and 1,000 frameworks in one root, through the overflow segment of the ports.
// Prints what `ports`, `ports --check` and a further `new-framework` cost, per framework as well, and checks
// that no port has two holders.
import fs from "fs-extra";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { createDirectory } from "../../src/apply/create.ts";
import { loadCatalogue } from "../../src/catalogue/load.ts";
import { planNew } from "../../src/plan/plan.ts";
import { ClaimTable } from "../../src/ports/claim.ts";
import { givePorts, withPorts } from "../../src/ports/give.ts";
import { readRoot } from "../../src/probe/root.ts";
import { envSections, secretsOf } from "../../src/render/env.ts";
import { render } from "../../src/render/render.ts";
import { portAllocation, PORT_TABLE_FILE } from "../../src/report/port-allocation.ts";
import { formatTable } from "../../src/report/table.ts";
import { fillSecrets } from "../../src/secrets.ts";
import { normalise } from "../../src/spec/normalise.ts";
import type { Spec } from "../../src/spec/schema.ts";
import { measure, median } from "./measure.ts";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const LAUNCHER = join(PROJECT, "bin", "framework-infra.js");
const catalogue = await loadCatalogue(join(PROJECT, "templates"));

/** Fills a root by the functions that new-framework uses, with one table of claims instead of reading the root each time. */
async function fill(root: string, count: number): Promise<void> {
  const claims = new ClaimTable();
  const specs: Spec[] = [];
  for (let index = 0; index < count; index += 1) {
    const { spec: draft, typed } = normalise(
      { draft: { name: `agents-${String(index)}` }, ports: new Map() },
      catalogue,
    );
    const { ports } = await givePorts(draft, typed, { claims, listening: () => Promise.resolve(false) }, catalogue);
    const spec = withPorts(draft, ports);
    specs.push(spec);
    for (const [service, port] of ports) {
      claims.add({
        protocol: "tcp",
        port,
        address: "127.0.0.1",
        framework: spec.name,
        place: spec.name,
        service,
        variable: null,
        source: "spec",
        file: "",
        shadowed: false,
      });
    }
    const secrets = fillSecrets(secretsOf(envSections(spec, catalogue)), new Map());
    createDirectory(root, planNew(spec.name, await render(spec, catalogue, secrets)));
  }
  fs.writeFileSync(join(root, PORT_TABLE_FILE), portAllocation(specs, catalogue));
}

const rows: string[][] = [];
for (const count of [10, 100, 1000]) {
  const dir = fs.mkdtempSync(join(tmpdir(), "fi-bench-"));
  try {
    const root = join(dir, "frameworks");
    fs.mkdirSync(root);
    await fill(root, count);
    const { claims, allClaims } = await readRoot(root, "frameworks", catalogue);
    const highest = Math.max(...allClaims.map((claim) => claim.port));
    if (allClaims.length !== 3 * count || claims.clashes().length > 0)
      throw new Error(`${String(count)}: wrong claims`);
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
