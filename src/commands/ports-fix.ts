import { applyPlan } from "../apply/transaction.ts";
import { prepareChange, type Change } from "../change.ts";
import { requireComplete } from "../complete.ts";
import type { Place } from "../pipeline.ts";
import { withPorts } from "../ports/give.ts";
import { settle } from "../ports/settle.ts";
import { SPEC_FILE, type Framework } from "../probe/framework.ts";
import { isListening } from "../probe/listening.ts";
import { readRoot, type Root } from "../probe/root.ts";
import { PORT_TABLE_FILE } from "../report/port-allocation.ts";
import { dotenvValues } from "../spec/dotenv.ts";
import type { Spec } from "../spec/schema.ts";
import { changeRoot, isTableCurrent } from "../write.ts";
import { conflictsOf, printChange, restartLine, writeEvents, type OpenConflicts } from "./change-report.ts";
import type { Context } from "./context.ts";

/**
 * Moves one of two holders of a port, wherever a spec can mend it. Everything is planned before anything is written.
 * @returns the conflicts that are open in the frameworks that were changed
 */
export async function fixPorts(context: Context, place: Place, dryRun: boolean): Promise<OpenConflicts[]> {
  let frameworks: readonly Framework[] = [];
  const work = async (root: Root): Promise<Change[]> => {
    const [broken] = root.broken;
    if (broken !== undefined) throw broken.error;
    frameworks = root.frameworks;
    const ports = await settle(root.frameworks, root.allClaims, isListening, place.catalogue);
    const changes: Change[] = [];
    for (const framework of root.frameworks) {
      const moved = ports.get(framework.folder);
      if (moved === undefined) continue;
      requireComplete(framework, place);
      changes.push(await prepareChange({ framework, spec: withPorts(framework.spec, moved), upgrade: false }, place));
    }
    return changes;
  };
  const specsAfter = (changes: readonly Change[]): Spec[] =>
    frameworks.map((each) => changes.find(({ framework }) => framework === each)?.spec ?? each.spec);
  let changes: Change[];
  if (dryRun) {
    changes = await work(await readRoot(place.root, place.shown, place.catalogue));
    if (changes.length > 0 || !isTableCurrent(specsAfter(changes), place))
      context.out.line(`${PORT_TABLE_FILE} would be written again`);
  } else {
    changes = await changeRoot(place, writeEvents(context, place.shown), async (root, commit) => {
      const planned = await work(root);
      commit();
      for (const { framework, plan } of planned) applyPlan(framework.dir, plan);
      return { result: planned, specs: specsAfter(planned) };
    });
  }
  await report(context, changes);
  for (const text of leftBehind(changes, frameworks)) context.out.note(text);
  for (const change of dryRun ? [] : changes) {
    const line = restartLine(place.shown, change);
    if (line !== undefined) context.out.line(line);
  }
  return changes.map(({ framework, plan }) => ({ folder: framework.folder, conflicts: conflictsOf(plan.actions) }));
}

/** What still names a port that moved: a value that somebody changed, or another framework that uses the service. */
function leftBehind(moves: readonly Change[], frameworks: readonly Framework[]): string[] {
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

async function report(context: Context, changes: readonly Change[]): Promise<void> {
  const { out } = context;
  const plans = changes.map(({ plan }) => ({ framework: plan.framework, actions: [...plan.actions] }));
  out.document({ schemaVersion: 1, plans });
  for (const change of changes) {
    const { framework, spec } = change;
    for (const [id, service] of Object.entries(spec.services)) {
      const old = framework.spec.services[id]?.port;
      if (service.port !== old)
        out.line(`${framework.folder}: ${id} moves from ${String(old)} to ${String(service.port)}`);
    }
    await printChange(context, change);
  }
}
