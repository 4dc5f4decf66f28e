import { SETTLE_HINT } from "../flow/conflicts.ts";
import type { FrameworkStatus, StatusResult } from "../flow/status.ts";
import { EXIT, problemLines, UserError } from "../lib/errors.ts";
import type { FileState } from "../plan/status.ts";
import type { View } from "./changes.ts";
import { missingEnvError, missingEnvNotes, type EnvCheck } from "./missing-env.ts";
import { styled } from "./output.ts";
import { planLines } from "./preview.ts";

/** The state of every file that is not clean. */
export function showStatus(result: StatusResult, view: View & EnvCheck): void {
  const { frameworks, errors, notes } = result;
  const { out } = view;
  for (const note of [...notes, ...missingEnvNotes(withoutEnv(result), view)]) out.note(note);
  out.document({
    schemaVersion: 1,
    frameworks: frameworks.map(({ name, files, conflicts, outdated }) => ({ name, files, conflicts, outdated })),
  });
  if (frameworks.length === 0 && errors.length === 0)
    out.line("There is no framework yet. Make one: npm run new-framework");
  for (const framework of frameworks) showFramework(framework, { out });
  // The first is thrown: it decides the exit code.
  for (const error of errors.slice(1)) out.error(error.message, error.hint, problemLines(error.details));
}

function showFramework({ name, files, overrides, outdated, would }: FrameworkStatus, { out }: Pick<View, "out">): void {
  const counts = new Map<FileState, number>();
  for (const { state } of files) counts.set(state, (counts.get(state) ?? 0) + 1);
  const summary = [...counts].map(([state, count]) => `${String(count)} ${state}`).join(", ");
  out.line(styled(name, "bold"), `: ${summary}`);
  for (const { path, state } of files) if (state !== "clean") out.line(`  ${state.padEnd(10)}  ${path}`);
  if (overrides.length > 0) out.line(`  .env overrides ${overrides.join(", ")}`);
  if (outdated) out.line("  the spec or the templates have changed since it was generated");
  if (typeof would === "string") out.line(`  regenerate would refuse: ${would}`);
  else if (would.some(({ action }) => action !== "keep")) {
    out.line("  regenerate would:");
    for (const line of planLines(would)) out.line(`    ${line}`);
  }
}

function withoutEnv({ frameworks }: StatusResult): string[] {
  const lacks = ({ files }: FrameworkStatus): boolean =>
    files.some(({ path, state }) => path === ENV && state === "missing");
  return frameworks.filter(lacks).map(({ name }) => name);
}

const ENV = ".env";

/** What `--check` finds wrong, worst first. */
export function statusError(result: StatusResult, view: EnvCheck): UserError | undefined {
  if (!view.check) return undefined;
  const { frameworks } = result;
  const conflicted = frameworks.filter(({ conflicts }) => conflicts.length > 0).map(({ name }) => name);
  if (conflicted.length > 0) {
    return new UserError(`conflicts are open in ${conflicted.join(", ")}`, {
      code: "conflicts",
      exit: EXIT.conflicts,
      hint: SETTLE_HINT,
    });
  }
  const drifted = frameworks.filter(
    ({ files, outdated }) =>
      outdated || files.some(({ path, state }) => state === "outdated" || (state === "missing" && path !== ENV)),
  );
  if (drifted.length === 0) return missingEnvError(withoutEnv(result), view);
  return new UserError(`out of date: ${drifted.map(({ name }) => name).join(", ")}`, {
    code: "drift",
    exit: EXIT.drift,
    hint: "npm run status shows the files. A deleted file stays deleted: rm DIRECTORY/.scaffold/base/FILE.base, then npm run regenerate brings it back",
  });
}
