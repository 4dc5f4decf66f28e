import { conflictsOf, type Change } from "../flow/change.ts";
import type { Action } from "../plan/plan.ts";
import type { PlanDocument } from "./documents.ts";
import type { Output } from "./output.ts";
import { planLines } from "./preview.ts";
import { quotedForShell } from "../lib/shell.ts";

/** How a result is shown. */
export interface View {
  /** The root as the user named it. */
  shown: string;
  /** As a unified diff instead of a list. */
  diff: boolean;
  out: Output;
}

/** The JSON document of one plan. */
export function planDocumentOf(framework: string, actions: readonly Action[]): PlanDocument {
  return { schemaVersion: 1, framework, actions: [...actions] };
}

/** What a change does, for people: notes, then a line for each file, or a diff. */
export async function showChange(change: Change, { out, diff }: View): Promise<void> {
  for (const note of change.notes) out.note(aboutFramework(change.folder, note));
  if (out.json) return;
  if (diff) {
    const { showDiff } = await import("./diff.ts");
    showDiff(change.plan, change.disk, change, out);
    return;
  }
  for (const line of planLines(change.plan.actions)) out.line(`  ${line}`);
}

/** A note with the framework's name in front, after the word that makes it a warning. */
function aboutFramework(folder: string, note: string): string {
  const [, warning = "", text = ""] = /^(warning: )?([\s\S]*)$/.exec(note) ?? [];
  return `${warning}${folder}: ${text}`;
}

/** How the stack takes up what was written; undefined when it need not. */
export function applyLine({ folder, plan }: Change, shown: string, { orphans = false } = {}): string | undefined {
  const restarts = plan.actions.some(
    ({ path, action }) => action !== "keep" && /^(?:compose\.yaml|\.env|config\/.*)$/.test(path),
  );
  if (!restarts || conflictsOf(plan.actions).length > 0) return undefined;
  return `To apply: cd ${quotedForShell(`${shown}/${folder}`)} && docker compose up -d --wait${orphans ? " --remove-orphans" : ""}`;
}

export const DRY_RUN = "Nothing was written (dry run).";
