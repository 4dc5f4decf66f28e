import { readFileSync } from "node:fs";
import { join } from "node:path";

import { applyPlan } from "../apply/transaction.ts";
import { writeDerived } from "../apply/create.ts";
import { withRootLock } from "../apply/lock.ts";
import { requireService } from "../catalogue/catalogue.ts";
import { updateEnv } from "../plan/env.ts";
import { planChange, type Plan } from "../plan/plan.ts";
import { basePath, STATE_FILE } from "../plan/state.ts";
import { recoverAll, type Place } from "../pipeline.ts";
import { ClaimTable, type Claim } from "../ports/claim.ts";
import { givePorts, withPorts } from "../ports/give.ts";
import { isListening } from "../probe/listening.ts";
import { checkRoot, readRoot, SPEC_FILE, type Framework, type Root } from "../probe/root.ts";
import { envSections, secretsOf } from "../render/env.ts";
import { render } from "../render/render.ts";
import { planLines } from "../report/preview.ts";
import { portAllocation, PORT_TABLE_FILE } from "../report/port-allocation.ts";
import { fillSecrets } from "../secrets.ts";
import { setPorts } from "../spec/edit.ts";
import type { Spec } from "../spec/schema.ts";
import type { Context } from "./context.ts";

/**
 * Moves one of two holders of a port, wherever a spec can mend it.
 * @returns whether a file was left in conflict with an edit of the user
 */
export async function fixPorts(context: Context, place: Place, dryRun: boolean): Promise<boolean> {
  let conflicts = false;
  checkRoot(place.root, place.shown);
  const work = async (requireHeld: () => void): Promise<void> => {
    if (!dryRun) await recoverAll(place);
    const root = await readRoot(place.root, place.shown, place.catalogue);
    if (root.frameworks.length === 0) return;
    const specs = new Map<string, Spec>(root.frameworks.map((framework) => [framework.dir, framework.spec]));
    for (const framework of root.frameworks) {
      const losing = losers(framework, root, place);
      if (losing.length === 0) continue;
      const spec = await reallocate(framework, losing, root, place);
      specs.set(framework.dir, spec);
      const plan = await changePlan(framework, spec, place);
      report(context, framework, losing, spec, plan);
      conflicts ||= plan.actions.some((action) => action.action === "conflict");
      if (!dryRun) {
        requireHeld();
        context.commit.done = true;
        applyPlan(framework.dir, plan);
      }
    }
    if (!dryRun) writeDerived(place.root, PORT_TABLE_FILE, portAllocation([...specs.values()], place.catalogue));
  };
  if (dryRun) await work(() => undefined);
  else {
    await withRootLock(
      place.root,
      place.shown,
      () => {
        context.out.note(`another command is working in ${place.shown}; waiting for it`);
      },
      work,
    );
  }
  return conflicts;
}

/** The services of a framework that must give way: somebody with a better right has their port. */
function losers(framework: Framework, root: Root, place: Place): string[] {
  return Object.keys(framework.spec.services).filter((id) =>
    root.claims.clashes().some((clash) => {
      const mine = clash.find(
        (claim) => claim.framework === framework.folder && claim.service === id && claim.source === "spec",
      );
      return (
        mine !== undefined &&
        clash.toSorted(
          (a, b) => right(a, place, root) - right(b, place, root) || (a.framework < b.framework ? -1 : 1),
        )[0] !== mine
      );
    }),
  );
}

/** Smaller is better: what this program does not own stays; then a preset on its own port of the table. */
function right(claim: Claim, place: Place, root: Root): number {
  if (claim.source !== "spec") return 0;
  const framework = root.frameworks.find((each) => each.folder === claim.framework);
  const slot = framework === undefined ? undefined : place.catalogue.presets.get(framework.spec.preset)?.slot;
  const base = place.catalogue.services.get(claim.service)?.port?.base;
  return slot !== undefined && base !== undefined && base + slot === claim.port ? 1 : 2;
}

async function reallocate(framework: Framework, losing: readonly string[], root: Root, place: Place): Promise<Spec> {
  const others = root.allClaims.filter(
    (claim) => claim.framework !== framework.folder || !losing.includes(claim.service),
  );
  const only: Spec = {
    ...framework.spec,
    services: Object.fromEntries(Object.entries(framework.spec.services).filter(([id]) => losing.includes(id))),
  };
  // A preset's own slot is what was lost, so only the free slots are left.
  const allocation = await givePorts(
    { ...only, preset: "" },
    new Map(),
    { claims: new ClaimTable(others), listening: isListening },
    place.catalogue,
  );
  for (const [id, port] of allocation.ports) {
    const claim = others.find((each) => each.port === port);
    if (claim !== undefined) throw new Error(`port ${String(port)} given to ${id} is held`);
    // The next framework in this run must see it.
    const published = requireService(place.catalogue, id).port;
    if (published !== undefined) {
      root.claims.add({
        framework: framework.folder,
        service: id,
        port,
        protocol: published.protocol,
        address: "127.0.0.1",
        variable: published.variable,
        source: "spec",
        file: SPEC_FILE,
        shadowed: false,
      });
    }
  }
  return withPorts(framework.spec, allocation.ports);
}

async function changePlan(framework: Framework, spec: Spec, place: Place): Promise<Plan> {
  const before = envSections(framework.spec, place.catalogue);
  const after = envSections(spec, place.catalogue);
  const secrets = fillSecrets(secretsOf(after), framework.env);
  const oldTree = await render(framework.spec, place.catalogue, secrets, place.precompiled);
  const newTree = await render(spec, place.catalogue, secrets, place.precompiled);
  const disk = readFiles(framework.dir, [...newTree.keys(), STATE_FILE]);
  const base = new Map(
    [...readFiles(framework.dir, [...newTree.keys()].map(basePath))].map(([path, text]) => [
      path.replace(/^\.scaffold\/base\/(.*)\.base$/, "$1"),
      text,
    ]),
  );
  const ports = new Map(
    Object.entries(spec.services).flatMap(([id, service]) => (service.port === undefined ? [] : [[id, service.port]])),
  );
  const edited = new Map([[SPEC_FILE, { content: setPorts(framework.specText, ports), mode: 0o644 }]]);
  const env = disk.get(".env");
  if (env !== undefined) edited.set(".env", { content: updateEnv(env, before, after, secrets), mode: 0o600 });
  return planChange({
    framework: framework.name,
    before: oldTree,
    after: newTree,
    disk,
    base,
    state: framework.state,
    edited,
  });
}

function readFiles(dir: string, paths: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of paths) {
    try {
      found.set(path, readFileSync(join(dir, path), "utf8"));
    } catch {
      // Deleted by the user: absent from the map, which is how the plan sees it.
    }
  }
  return found;
}

function report({ out }: Context, framework: Framework, losing: readonly string[], spec: Spec, plan: Plan): void {
  for (const id of losing)
    out.line(
      `${framework.name}: ${id} moves from ${String(framework.spec.services[id]?.port)} to ${String(spec.services[id]?.port)}`,
    );
  for (const line of planLines(plan.actions)) out.line(`  ${line}`);
}
