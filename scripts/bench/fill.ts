import fs from "fs-extra";
import { join } from "node:path";

import { commit } from "../../src/apply/commit.ts";
import { Journal } from "../../src/apply/journal.ts";
import { NOTHING } from "../../src/apply/transaction.ts";
import type { Catalogue } from "../../src/catalogue/catalogue.ts";
import { randomBytes } from "../../src/host/random.ts";
import { stateText } from "../../src/plan/state.ts";
import { planNew } from "../../src/plan/plan.ts";
import { ClaimTable } from "../../src/ports/claim.ts";
import { givePorts, withPorts } from "../../src/ports/give.ts";
import { envSections, secretsOf } from "../../src/env/variables.ts";
import { render } from "../../src/render/render.ts";
import { portAllocation, PORT_TABLE_FILE } from "../../src/render/port-table.ts";
import { fillSecrets } from "../../src/env/secrets.ts";
import { normalise } from "../../src/spec/normalise.ts";
import type { Spec } from "../../src/spec/schema.ts";

/** Fills a root by the functions that new-framework uses, with one table of claims instead of reading the root each time. */
const STATE = stateText({ program: "0.0.0", templates: "", isOwn: false });

export async function fill(root: string, count: number, catalogue: Catalogue): Promise<void> {
  const claims = new ClaimTable();
  const specs: Spec[] = [];
  const held = (): void => undefined;
  const journal = new Journal(root, held);
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
    const secrets = fillSecrets(secretsOf(envSections(spec, catalogue)), new Map(), randomBytes);
    const { writes } = planNew(spec.name, await render(spec, catalogue, secrets), STATE);
    commit(root, { ...NOTHING, directories: new Map([[spec.name, writes]]) }, journal, held);
  }
  journal.remove();
  fs.writeFileSync(join(root, PORT_TABLE_FILE), portAllocation(specs, catalogue));
}
