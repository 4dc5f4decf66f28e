import { SETTLE_HINT } from "../flow/conflicts.ts";
import type { FrameworkStatus, StatusResult } from "../flow/status.ts";
import { EXIT, UserError } from "../lib/errors.ts";
import type { FileState } from "../plan/status.ts";
import type { View } from "./changes.ts";
import { planLines } from "./preview.ts";
import { envError } from "./regeneration.ts";

/** The state of every file that is not clean. */
export function showStatus({ frameworks, errors, notes }: StatusResult, { out }: View): void {
  for (const note of notes) out.note(note);
  out.document({
    schemaVersion: 1,
    frameworks: frameworks.map(({ name, files, conflicts, outdated }) => ({ name, files, conflicts, outdated })),
  });
  if (frameworks.length === 0) out.line("There is no framework yet. Make one: npm run new-framework");
  for (const framework of frameworks) showFramework(framework, { out });
  // The first is thrown: it decides the exit code.
  for (const error of errors.slice(1)) out.error(error.message, error.hint, []);
}

function showFramework({ name, files, overrides, outdated, would }: FrameworkStatus, { out }: Pick<View, "out">): void {
  const counts = new Map<FileState, number>();
  for (const { state } of files) counts.set(state, (counts.get(state) ?? 0) + 1);
  const summary = [...counts].map(([state, count]) => `${String(count)} ${state}`).join(", ");
  out.line(`${out.style(name, "bold")}: ${summary}`);
  for (const { path, state } of files) if (state !== "clean") out.line(`  ${state.padEnd(10)}  ${path}`);
  if (overrides.length > 0) out.line(`  .env overrides ${overrides.join(", ")}`);
  if (outdated) out.line("  the spec or the templates have changed since it was generated");
  if (typeof would === "string") out.line(`  regenerate would refuse: ${would}`);
  else if (would.some(({ action }) => action !== "keep")) {
    out.line("  regenerate would:");
    for (const line of planLines(would)) out.line(`    ${line}`);
  }
}

/**
 * What `--check` finds wrong, worst first.
 * @param requiresEnv whether a missing .env, which no clone has, counts as well
 */
export function statusError({ frameworks }: StatusResult, requiresEnv: boolean): UserError | undefined {
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
      outdated || files.some(({ path, state }) => state === "outdated" || (state === "missing" && path !== ".env")),
  );
  if (drifted.length === 0) {
    const lacking = frameworks.filter(({ files }) =>
      files.some(({ path, state }) => path === ".env" && state === "missing"),
    );
    return requiresEnv ? envError(lacking.map(({ name }) => name)) : undefined;
  }
  return new UserError(`out of date: ${drifted.map(({ name }) => name).join(", ")}`, {
    code: "drift",
    exit: EXIT.drift,
    hint: "npm run status shows the files. A deleted file stays deleted: rm DIRECTORY/.scaffold/base/FILE.base, then npm run regenerate brings it back",
  });
}
