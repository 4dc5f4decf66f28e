import { applyPlan, isUnfinished, requireApplicable } from "../apply/transaction.ts";
import { isLocked } from "../apply/lock.ts";
import type { Change } from "../change.ts";
import { asUserError, EXIT, formatProblem, UserError, type ExitCode } from "../errors.ts";
import type { Place } from "../pipeline.ts";
import { isEmpty, type Action } from "../plan/plan.ts";
import type { Framework } from "../probe/framework.ts";
import { readRoot, type Root } from "../probe/root.ts";
import { PORT_TABLE_FILE } from "../report/port-allocation.ts";
import type { Spec } from "../spec/schema.ts";
import { prepareUpdate } from "../update.ts";
import { changeRoot, isTableCurrent } from "../write.ts";
import { conflictsOf, isDryRun, printChange, refuseConflicts, restartLine, writeEvents } from "./change-report.ts";
import { chosenFrameworks } from "./choose.ts";
import { flagSet, isInteractive, openPlace, requireRoot, type Context } from "./context.ts";
import { Decisions } from "./decisions.ts";
import { warnAbout } from "./warnings.ts";

export const help = `Usage: npm run regenerate [FRAMEWORK...]
       npm run regenerate -- [FRAMEWORK...] [flags]
       framework-infra regenerate [FRAMEWORK...] [flags]

Brings directories to what framework.yaml and the templates say now, and keeps what you edited: a three-way merge of
what was last generated, your files, and what is generated now. All frameworks, unless some are named.

Where your edit and an update meet, your file stays as it is, and the new one is put beside it as FILE.incoming.
Edit FILE, delete FILE.incoming, regenerate; or choose:

  --ours[=FILE]    keep your file as it is: all that are in conflict, or this one
  --theirs[=FILE]  take the new file whole; your edits in it go
  --check          write nothing; exit 5 when something would change, 4 when a conflict is open
  --yes            ask nothing: conflicts stay open
  --dry-run        show the plan, write nothing
  --diff           show the changes as a unified diff, secrets redacted; writes nothing
  --root DIR       where frameworks live (default frameworks)
  --templates DIR  use these templates instead of the built-in ones
  --json           print the plan as JSON (of several frameworks: their plans)

Examples:
  npm run regenerate
  npm run regenerate -- crewai --diff
  npm run regenerate -- --check
  npm run regenerate -- crewai --theirs=README.md
`;

/** What became of one framework. */
interface Outcome {
  folder: string;
  actions: readonly Action[];
  /** Whether nothing was written, or would be. */
  idle: boolean;
  error?: UserError;
}

interface Pass {
  outcomes: Outcome[];
  specs: Spec[];
  /** Whether anything was written, or would be. */
  changes: boolean;
  /** What is still to be shown, of a pass that may have to be made again under the lock. */
  unsaid: Change[];
}

export async function run(context: Context): Promise<ExitCode> {
  const place = await openPlace(context);
  requireRoot(context, place);
  const decisions = Decisions.fromFlags(context.flags.values);
  const looking = isDryRun(context) || flagSet(context, "check");
  const asking =
    isInteractive(context) && !looking && !context.out.json && !flagSet(context, "yes") && decisions.isEmpty;
  if (!asking) return regenerate(context, place, decisions);
  // Conflicts are found before anything is locked: the lock is never held while somebody thinks.
  const found = await conflictsNow(context, place);
  if (found.length === 0) return regenerate(context, place, decisions);
  const { runGenerator } = await import("../../generators/host.ts");
  const { regenerateGenerator } = await import("../../generators/regenerate.ts");
  return runGenerator(regenerateGenerator({ context, place, conflicts: found }));
}

/** Regenerates, or shows what would be done. Also what the Plop generator's action calls. */
export async function regenerate(context: Context, place: Place, decisions: Decisions): Promise<ExitCode> {
  const { out } = context;
  const names = context.flags.positionals;
  const looking = isDryRun(context) || flagSet(context, "check");
  const before = await readRoot(place.root, place.shown, place.catalogue, { tolerant: true, claims: false });
  if (decisions.hasPaths) {
    const known = await conflictsOfAll(before, names, place);
    decisions.requireKnown(
      known.map(({ path }) => path),
      place.shown,
    );
  }
  const dry = await onePass(context, place, before, decisions, looking ? "look" : "stop");
  const unfinished = before.frameworks.some(({ dir }) => isUnfinished(dir)) || isLocked(place.root);
  const current = before.broken.length > 0 || isTableCurrent(dry.specs, place);
  const idle = !dry.changes && !unfinished && current;
  if (looking && !current) {
    dry.changes = true;
    out.line(`${PORT_TABLE_FILE} would be written again`);
  }
  if (looking || idle) {
    warnAbout(before, out);
    for (const change of dry.unsaid) await show(context, place, change, false);
    finish(context, place, dry, before, looking);
    if (isDryRun(context)) out.line("Nothing was written (dry run).");
    return verdict(context, dry, looking);
  }
  const done = await changeRoot(
    place,
    writeEvents(context, place.shown),
    async (root, commit) => {
      warnAbout(root, out);
      const pass = await onePass(context, place, root, decisions, commit);
      return { result: pass, specs: pass.specs };
    },
    { claims: false },
  );
  finish(context, place, done, before, false);
  return verdict(context, done, false);
}

/**
 * Plans every framework that is wanted, one after the other, so that memory does not grow with their number. One
 * that fails does not stop the others.
 * @param mode `look`: writes nothing; `stop`: writes nothing, and ends at the first that would be changed; else
 *   called before each write
 */
async function onePass(
  context: Context,
  place: Place,
  root: Root,
  decisions: Decisions,
  mode: "look" | "stop" | (() => void),
): Promise<Pass> {
  const names = context.flags.positionals;
  const chosen = new Set(namedFrameworks(root, names, place));
  const pass: Pass = {
    outcomes: brokenOutcomes(root, names),
    specs: root.frameworks.map(({ spec }) => spec),
    changes: false,
    unsaid: [],
  };
  for (const [index, framework] of root.frameworks.entries()) {
    if (!chosen.has(framework)) continue;
    const { folder } = framework;
    try {
      const change = await prepareUpdate(framework, root, place, (path) => decisions.of(folder, path));
      const empty = isEmpty(change.plan);
      if (!empty) pass.changes = true;
      if (mode === "stop" && !empty) return pass;
      // A dry run refuses what the real one would refuse.
      if (mode === "look") requireApplicable(framework.dir, change.plan);
      if (typeof mode === "function" && !empty) {
        mode();
        applyPlan(framework.dir, change.plan);
      }
      pass.specs[index] = change.spec;
      pass.outcomes.push({ folder, actions: settled(change.plan.actions, context.out.json), idle: empty });
      const said = change.notes.length > 0 || change.plan.actions.some(({ action }) => action !== "keep");
      if (mode === "stop" && said) pass.unsaid.push(change);
      if (mode !== "stop") await show(context, place, change, typeof mode === "function");
    } catch (error) {
      pass.outcomes.push({ folder, actions: [], idle: false, error: asUserError(error, `${place.shown}/${folder}`) });
    }
  }
  return pass;
}

/** The actions without the files they were made from: those of a thousand directories must not stay in memory. */
function settled(actions: readonly Action[], all: boolean): Action[] {
  return actions.filter(({ action }) => all || action !== "keep").map((action) => ({ ...action }));
}

/** Named ones that cannot be read are no reason to stop; a name that is nowhere is. */
function namedFrameworks(root: Root, names: readonly string[], place: Place): readonly Framework[] {
  const broken = new Set(root.broken.map(({ folder }) => folder));
  const readable = names.filter((name) => !broken.has(name));
  return names.length > 0 && readable.length === 0 ? [] : chosenFrameworks(root, readable, place.shown);
}

function brokenOutcomes(root: Root, names: readonly string[]): Outcome[] {
  return root.broken
    .filter(({ folder }) => names.length === 0 || names.includes(folder))
    .map(({ folder, error }) => ({ folder, actions: [], idle: false, error }));
}

async function show(context: Context, place: Place, change: Change, written: boolean): Promise<void> {
  const { out } = context;
  const { actions } = change.plan;
  const changed = actions.some(({ action }) => action !== "keep") || !isEmpty(change.plan);
  if (changed && !out.json) out.line(`${out.style(`${place.shown}/${change.framework.folder}`, "bold")}:`);
  if (changed || change.notes.length > 0) await printChange(context, change);
  const restart = restartLine(place.shown, change);
  if (written && restart !== undefined && conflictsOf(actions).length === 0) out.line(`  ${restart}`);
}

function finish(context: Context, place: Place, pass: Pass, root: Root, looking: boolean): void {
  const { out } = context;
  const ok = pass.outcomes.filter(({ error }) => error === undefined);
  const [only, second] = pass.outcomes;
  if (only === undefined) {
    out.document({ schemaVersion: 1, plans: [] });
    out.line(`There is no framework in ${place.shown} yet. Make one: npm run new-framework`);
    return;
  }
  if (second !== undefined) {
    const errors = pass.outcomes.flatMap(({ folder, error }) =>
      error === undefined
        ? []
        : [{ framework: folder, code: error.code, message: error.message, hint: error.hint ?? null }],
    );
    const plans = ok.map(({ folder, actions }) => ({ framework: folder, actions: [...actions] }));
    out.document({ schemaVersion: 1, plans, ...(errors.length === 0 ? {} : { errors }) });
  } else if (only.error === undefined)
    out.document({ schemaVersion: 1, framework: only.folder, actions: [...only.actions] });
  const still = ok.filter(({ actions, idle }) => idle && actions.every(({ action }) => action !== "conflict"));
  if (still.length > 0) {
    const which = still.length === 1 ? (still[0]?.folder ?? "") : `${String(still.length)} frameworks`;
    out.line(
      `${which}: ${looking && still.length < root.frameworks.length ? "nothing would change" : "nothing to do"}`,
    );
  }
}

/** The exit code that several frameworks add up to: the first of 1, 3, 4, 6, 5 that occurred; bad input counts as 2 before them. */
function verdict(context: Context, pass: Pass, looking: boolean): ExitCode {
  const errors = pass.outcomes.flatMap(({ folder, error }) => (error === undefined ? [] : [{ folder, error }]));
  const [first] = errors;
  if (first !== undefined && pass.outcomes.length === 1) throw first.error;
  for (const { folder, error } of errors)
    context.out.error(
      `${folder}: ${error.message}`,
      error.hint,
      error.details.length > 1 ? error.details.map(formatProblem) : [],
    );
  const conflicts = pass.outcomes.map(({ folder, actions }) => ({ folder, conflicts: conflictsOf(actions) }));
  const worst = [EXIT.failure, EXIT.usage, EXIT.portClash].find((code) =>
    errors.some(({ error }) => error.exit === code),
  );
  if (worst !== undefined) {
    throw new UserError(`${String(errors.length)} of ${String(pass.outcomes.length)} frameworks failed`, {
      code: "failed",
      exit: worst,
      hint: "the others were not affected",
    });
  }
  if (!looking || flagSet(context, "check")) refuseConflicts(conflicts);
  if (flagSet(context, "check") && pass.changes) {
    throw new UserError("not as the specs and the templates say", {
      code: "drift",
      exit: EXIT.drift,
      hint: "npm run regenerate -- --diff shows what would change",
    });
  }
  return EXIT.ok;
}

/** A file in conflict, as `folder/path`, and where the two sides meet. */
export interface FoundConflict {
  path: string;
  reason: string;
}

/** Open and new conflicts. */
async function conflictsOfAll(root: Root, names: readonly string[], place: Place): Promise<FoundConflict[]> {
  const found: FoundConflict[] = [];
  for (const framework of namedFrameworks(root, names, place)) {
    try {
      const { plan: planned } = await prepareUpdate(framework, root, place);
      for (const { path, action, reason } of planned.actions)
        if (action === "conflict") found.push({ path: `${framework.folder}/${path}`, reason });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
  return found;
}

/** Files in conflict, as `folder/path`, found without the lock. */
export async function conflictsNow(context: Context, place: Place): Promise<FoundConflict[]> {
  const root = await readRoot(place.root, place.shown, place.catalogue, { tolerant: true, claims: false });
  return conflictsOfAll(root, context.flags.positionals, place);
}
