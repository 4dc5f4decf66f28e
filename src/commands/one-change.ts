import { applyPlan, requireApplicable } from "../apply/transaction.ts";
import type { Change } from "../change.ts";
import { asUserError, EXIT, type ExitCode } from "../errors.ts";
import type { Place } from "../pipeline.ts";
import { isEmpty } from "../plan/plan.ts";
import { readRoot, type Root } from "../probe/root.ts";
import { changeRoot } from "../write.ts";
import { conflictsOf, isDryRun, printChange, refuseConflicts, restartLine, writeEvents } from "./change-report.ts";
import type { Context } from "./context.ts";
import { warnAbout } from "./warnings.ts";

/** A change of one framework, or the text that says why there is nothing to do. */
export type Prepared =
  | { change: Change; lines: readonly string[]; orphans?: boolean }
  | { folder: string; nothing: string };

/**
 * Runs a command that changes one framework: planned again under the root's lock and written, or only shown.
 * @param prepare called without the lock for a dry run, else under it
 */
export async function changeOne(
  context: Context,
  place: Place,
  prepare: (root: Root) => Promise<Prepared>,
): Promise<ExitCode> {
  const { out } = context;
  if (isDryRun(context)) {
    const root = await readRoot(place.root, place.shown, place.catalogue, { tolerant: true });
    warnAbout(root, out);
    const prepared = await prepare(root);
    if ("change" in prepared) requireApplicable(prepared.change.framework.dir, prepared.change.plan);
    await report(context, place, prepared);
    out.line("Nothing was written (dry run).");
    return EXIT.ok;
  }
  const prepared = await changeRoot(place, writeEvents(context, place.shown), async (root, commit) => {
    warnAbout(root, out);
    const result = await prepare(root);
    if ("change" in result && !isEmpty(result.change.plan)) {
      commit();
      try {
        applyPlan(result.change.framework.dir, result.change.plan);
      } catch (error) {
        throw asUserError(error, `${place.shown}/${result.change.framework.folder}`);
      }
    }
    const changed = "change" in result ? result.change : undefined;
    const specs = root.frameworks.map((each) => (each === changed?.framework ? changed.spec : each.spec));
    return { result, specs };
  });
  await report(context, place, prepared);
  if ("nothing" in prepared) return EXIT.ok;
  const { change } = prepared;
  const conflicts = conflictsOf(change.plan.actions);
  const restart = restartLine(place.shown, change, prepared.orphans);
  if (restart !== undefined && conflicts.length === 0) out.line(restart);
  refuseConflicts([{ folder: change.framework.folder, conflicts }]);
  return EXIT.ok;
}

async function report(context: Context, place: Place, prepared: Prepared): Promise<void> {
  const { out } = context;
  if ("nothing" in prepared) {
    out.document({ schemaVersion: 1, framework: prepared.folder, actions: [] });
    out.line(prepared.nothing);
    return;
  }
  const { change, lines } = prepared;
  out.document({ schemaVersion: 1, framework: change.plan.framework, actions: [...change.plan.actions] });
  out.line(`${out.style(`${place.shown}/${change.framework.folder}`, "bold")}:`);
  await printChange(context, change);
  for (const line of lines) out.line(line);
}
