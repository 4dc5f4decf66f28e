import { conflictsOf } from "../flow/change.ts";
import { conflictsError } from "../flow/conflicts.ts";
import type { RegenerateResult, RegenerateStart, RegenerateStep } from "../flow/regenerate.ts";
import { EXIT, problemLines, UserError, type ExitCode } from "../lib/errors.ts";
import { isEmpty } from "../plan/plan.ts";
import { PORT_TABLE_FILE } from "../render/port-table.ts";
import { missingEnvError, missingEnvNotes, type EnvCheck } from "./missing-env.ts";
import { styled } from "./output.ts";
import { applyLine, DRY_RUN, planDocumentOf, showChange, type View } from "./changes.ts";

/** What a run shows and what it counts as wrong. */
export interface RegenerationView extends View, EnvCheck {
  /** Nothing is written. */
  dry: boolean;
}

/** One step of a run, as soon as it is known. */
export async function showStep(step: RegenerateStart | RegenerateStep, view: View): Promise<void> {
  const { out, shown } = view;
  if ("notes" in step) {
    for (const note of step.notes) out.note(note);
    return;
  }
  const { change } = step;
  if (change === undefined) return;
  const changed = change.plan.actions.some(({ action }) => action !== "keep") || !isEmpty(change.plan);
  if (changed && !out.json) out.line(styled(`${shown}/${change.folder}`, "bold"), ":");
  if (changed || change.notes.length > 0) await showChange(change, view);
  const apply = step.written ? applyLine(change, shown) : undefined;
  if (apply !== undefined) out.line(`  ${apply}`);
}

/** The end of a run: the JSON document, and a summary of what stays as it is. */
export function showRegeneration(result: RegenerateResult, view: RegenerationView): void {
  const { out, shown, dry, check } = view;
  const { frameworks } = result;
  if (dry && !result.isTableCurrent) out.line(`${PORT_TABLE_FILE} would be rewritten`);
  const [only, second] = frameworks;
  if (only === undefined) {
    out.document({ schemaVersion: 1, plans: [] });
    out.line(`There is no framework in ${shown} yet. Make one: npm run new-framework`);
  } else if (second !== undefined) {
    const errors = frameworks.flatMap(({ folder, error }) =>
      error === undefined
        ? []
        : [{ framework: folder, code: error.code, message: error.message, hint: error.hint ?? null }],
    );
    const plans = frameworks
      .filter(({ error }) => error === undefined)
      .map(({ folder, actions }) => ({ framework: folder, actions: [...actions] }));
    out.document({ schemaVersion: 1, plans, ...(errors.length === 0 ? {} : { errors }) });
  } else if (only.error === undefined) out.document(planDocumentOf(only.folder, only.actions));
  const still = frameworks.filter(
    ({ error, actions, isIdle, lacksCompose }) =>
      error === undefined && isIdle && !lacksCompose && actions.every(({ action }) => action !== "conflict"),
  );
  if (still.length > 0) {
    const which = still.length === 1 ? (still[0]?.folder ?? "") : `${String(still.length)} frameworks`;
    out.line(`${which}: ${dry && still.length < result.total ? "nothing would change" : "nothing to do"}`);
  }
  if (dry && !check) out.line(DRY_RUN);
  for (const note of missingEnvNotes(withoutEnv(result), view)) out.note(note);
}

function withoutEnv({ frameworks }: RegenerateResult): string[] {
  return frameworks.filter(({ lacksEnv }) => lacksEnv).map(({ folder }) => folder);
}

/**
 * What is wrong after a run: the first of exit codes 1, 2, 3, 4, 5 that occurred; of several failures each is printed.
 * @returns undefined when everything is as it should be
 */
export function regenerationError(result: RegenerateResult, view: RegenerationView): UserError | undefined {
  const { out, dry, check } = view;
  const { frameworks } = result;
  const errors = frameworks.flatMap(({ folder, error }) => (error === undefined ? [] : [{ folder, error }]));
  const [first] = errors;
  if (first !== undefined && frameworks.length === 1) return first.error;
  for (const { folder, error } of errors) {
    out.error(`${folder}: ${error.message}`, error.hint, problemLines(error.details));
  }
  const order: ExitCode[] = [EXIT.failure, EXIT.usage, EXIT.portClash];
  const worst = order.find((code) => errors.some(({ error }) => error.exit === code));
  if (worst !== undefined) {
    const all = errors.length === frameworks.length;
    return new UserError(`${String(errors.length)} of ${String(frameworks.length)} frameworks failed`, {
      code: "failed",
      exit: worst,
      hint: all ? "correct what is named above, then run the command again" : "the others were not affected",
    });
  }
  const conflicts = frameworks.map(({ folder, actions }) => ({ folder, conflicts: conflictsOf(actions) }));
  const open = !dry || check ? conflictsError(conflicts) : undefined;
  if (open !== undefined) return open;
  if (!check) return undefined;
  if (result.isTableCurrent && frameworks.every(({ isOutOfDate, lacksCompose }) => !isOutOfDate && !lacksCompose))
    return missingEnvError(withoutEnv(result), view);
  return new UserError("the directories are out of date: they do not match the specs and the templates", {
    code: "drift",
    exit: EXIT.drift,
    hint: "npm run regenerate -- --diff shows what would change",
  });
}
