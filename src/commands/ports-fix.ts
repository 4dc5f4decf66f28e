import { existsSync } from "node:fs";
import { join } from "node:path";

import { withDerived } from "../apply/create.ts";
import { withRootLock } from "../apply/lock.ts";
import { applyPlan } from "../apply/transaction.ts";
import { recoverAll, type Place } from "../pipeline.ts";
import { updateEnv } from "../plan/env.ts";
import { planChange, type Plan } from "../plan/plan.ts";
import { STATE_FILE } from "../plan/state.ts";
import { withPorts } from "../ports/give.ts";
import { settle } from "../ports/settle.ts";
import { SPEC_FILE, type Framework } from "../probe/framework.ts";
import { isListening } from "../probe/listening.ts";
import { checkRoot, readRoot } from "../probe/root.ts";
import { readBase, readTexts } from "../probe/texts.ts";
import { envSections, secretsOf } from "../render/env.ts";
import { render } from "../render/render.ts";
import { portAllocation, PORT_TABLE_FILE } from "../report/port-allocation.ts";
import { planLines, quotedForShell } from "../report/preview.ts";
import { fillSecrets } from "../secrets.ts";
import { dotenvValues } from "../spec/dotenv.ts";
import { setPorts } from "../spec/edit.ts";
import type { Spec } from "../spec/schema.ts";
import { flagSet, type Context } from "./context.ts";

interface Move {
  framework: Framework;
  spec: Spec;
  plan: Plan;
  /** Text on disk by path, and the secrets in it: for the diff. */
  disk: ReadonlyMap<string, string>;
  secrets: readonly string[];
}

/**
 * Moves one of two holders of a port, wherever a spec can mend it. Everything is planned before anything is written.
 * @returns whether a file was left in conflict with an edit of the user
 */
export async function fixPorts(context: Context, place: Place, dryRun: boolean): Promise<boolean> {
  checkRoot(place.root, place.shown);
  let frameworks: readonly Framework[] = [];
  const work = async (requireHeld: () => void): Promise<Move[]> => {
    if (!dryRun) for (const note of await recoverAll(place)) context.out.note(note);
    const root = await readRoot(place.root, place.shown, place.catalogue);
    frameworks = root.frameworks;
    const ports = await settle(root.frameworks, root.allClaims, isListening, place.catalogue);
    const moves: Move[] = [];
    for (const framework of root.frameworks) {
      const moved = ports.get(framework.folder);
      if (moved !== undefined) moves.push(await planMove(framework, withPorts(framework.spec, moved), place));
    }
    const specs = root.frameworks.map((each) => moves.find(({ framework }) => framework === each)?.spec ?? each.spec);
    const table = portAllocation(specs, place.catalogue);
    if (dryRun) {
      if (moves.length > 0 || readTexts(place.root, [PORT_TABLE_FILE]).get(PORT_TABLE_FILE) !== table)
        context.out.line(`${PORT_TABLE_FILE} would be written again`);
      return moves;
    }
    if (specs.length === 0 && !existsSync(join(place.root, PORT_TABLE_FILE))) return moves;
    withDerived(place.root, PORT_TABLE_FILE, table, () => {
      requireHeld();
      context.commit.done = true;
      for (const { framework, plan } of moves) applyPlan(framework.dir, plan);
    });
    return moves;
  };
  const onWait = (): void => {
    context.out.note(`another command is working in ${place.shown}; waiting for it`);
  };
  const moves = dryRun ? await work(() => undefined) : await withRootLock(place.root, place.shown, onWait, work);
  await report(context, moves);
  for (const text of leftBehind(moves, frameworks)) context.out.note(text);
  for (const { framework } of dryRun ? [] : moves) {
    context.out.line(
      `Where ${framework.folder} runs: cd ${quotedForShell(`${place.shown}/${framework.folder}`)} && docker compose up -d --wait`,
    );
  }
  return moves.some(({ plan }) => plan.actions.some((action) => action.action === "conflict"));
}

async function planMove(framework: Framework, spec: Spec, place: Place): Promise<Move> {
  const before = envSections(framework.spec, place.catalogue);
  const after = envSections(spec, place.catalogue);
  const secrets = fillSecrets(secretsOf(after), framework.env);
  const oldTree = await render(framework.spec, place.catalogue, secrets, place.precompiled);
  const newTree = await render(spec, place.catalogue, secrets, place.precompiled);
  const paths = [...newTree.keys()];
  const disk = readTexts(framework.dir, [...paths, ...paths.map((path) => `${path}.incoming`), STATE_FILE]);
  const base = readBase(framework.dir, paths);
  const ports = new Map(
    Object.entries(spec.services).flatMap(([id, service]) => (service.port === undefined ? [] : [[id, service.port]])),
  );
  const edited = new Map([[SPEC_FILE, { content: setPorts(framework.specText, ports), mode: 0o644 }]]);
  const env = disk.get(".env");
  if (env !== undefined) edited.set(".env", { content: updateEnv(env, before, after, secrets), mode: 0o600 });
  const { name, state } = framework;
  const plan = planChange({ framework: name, before: oldTree, after: newTree, disk, base, state, edited });
  return { framework, spec, plan, disk, secrets: [...secrets.values()] };
}

/** What still names a port that moved: a value that somebody changed, or another framework that uses the service. */
function leftBehind(moves: readonly Move[], frameworks: readonly Framework[]): string[] {
  return moves.flatMap(({ framework, spec, plan }) =>
    Object.entries(framework.spec.services).flatMap(([id, { port }]) => {
      if (port === undefined || spec.services[id]?.port === port) return [];
      const old = new RegExp(`:${String(port)}(?![0-9])`);
      const values = dotenvValues(plan.writes.get(".env")?.content ?? "");
      const own = [...values]
        .filter(([, value]) => old.test(value))
        .map(([name]) => `${framework.folder}/.env: ${name}`);
      const others = frameworks
        .filter(
          (each) => each !== framework && each.spec.langfuse.host !== undefined && old.test(each.spec.langfuse.host),
        )
        .map((each) => `${each.folder}/${SPEC_FILE} and its .env: the external URL`);
      return [...own, ...others].map(
        (place) => `warning: ${place} still names port ${String(port)}, which ${id} of ${framework.folder} had`,
      );
    }),
  );
}

async function report(context: Context, moves: readonly Move[]): Promise<void> {
  const { out } = context;
  const plans = moves.map(({ plan }) => ({ framework: plan.framework, actions: [...plan.actions] }));
  out.document({ schemaVersion: 1, plans });
  for (const { framework, spec, plan, disk, secrets } of moves) {
    for (const [id, service] of Object.entries(spec.services)) {
      const old = framework.spec.services[id]?.port;
      if (service.port !== old)
        out.line(`${framework.folder}: ${id} moves from ${String(old)} to ${String(service.port)}`);
    }
    if (flagSet(context, "diff") && !out.json) {
      const { planDiff } = await import("../report/diff.ts");
      out.line(planDiff(plan, disk, secrets).trimEnd());
    } else for (const line of planLines(plan.actions)) out.line(`  ${line}`);
  }
}
