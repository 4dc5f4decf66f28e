import type { Change } from "../change.ts";
import { EXIT, UserError } from "../errors.ts";
import type { Action } from "../plan/plan.ts";
import { planLines, quotedForShell } from "../report/preview.ts";
import { flagSet, type Context } from "./context.ts";

/** The events of a command that writes, for `changeRoot`. */
export function writeEvents(
  context: Context,
  shown: string,
): {
  onWait: () => void;
  onCommit: () => void;
  onNote: (text: string) => void;
} {
  return {
    onWait: () => {
      context.out.note(`another command is working in ${shown}; waiting for it`);
    },
    onCommit: () => {
      context.commit.done = true;
    },
    onNote: (text) => {
      context.out.note(text);
    },
  };
}

/** Whether the command only shows what it would do. */
export function isDryRun(context: Context): boolean {
  return flagSet(context, "dry-run") || flagSet(context, "diff");
}

/** What a change does, for people: notes, then a line for each file, or a diff. */
export async function printChange(context: Context, change: Change): Promise<void> {
  const { out } = context;
  for (const note of change.notes)
    out.note(`${change.framework.folder}: ${note}`.replace(/^(.*?: )warning: /, "warning: $1"));
  if (out.json) return;
  if (flagSet(context, "diff")) {
    const { colouredDiff } = await import("../report/diff.ts");
    const text = colouredDiff(change.plan, change.disk, change, out);
    if (text !== "") out.line(text);
    return;
  }
  for (const line of planLines(change.plan.actions)) out.line(`  ${line}`);
}

/** How the stack takes up what was written; `orphans`: there are containers that no file names any more. */
export function restartLine(shown: string, { framework, plan }: Change, orphans = false): string | undefined {
  const restarts = plan.actions.some(
    ({ path, action }) => action !== "keep" && /^(?:compose\.yaml|\.env|config\/.*)$/.test(path),
  );
  if (!restarts) return undefined;
  return `Where ${framework.folder} runs: cd ${quotedForShell(`${shown}/${framework.folder}`)} && docker compose up -d --wait${orphans ? " --remove-orphans" : ""}`;
}

export function conflictsOf(actions: readonly Action[]): string[] {
  return actions.filter(({ action }) => action === "conflict").map(({ path }) => path);
}

export const SETTLE_HINT =
  "Put what you want of FILE.incoming into FILE, delete FILE.incoming, then npm run regenerate; or npm run regenerate -- --ours=FILE (keep yours) or --theirs=FILE (take the new one)";

/** Paths in conflict inside one framework's directory. */
export interface OpenConflicts {
  folder: string;
  conflicts: readonly string[];
}

/** @throws UserError exit 4 when the change left a conflict open */
export function refuseConflicts(changes: readonly OpenConflicts[]): void {
  const open = changes.flatMap(({ folder, conflicts }) => conflicts.map((path) => `${folder}/${path}`));
  if (open.length === 0) return;
  throw new UserError(
    open.length === 1
      ? `a conflict is open: ${open[0] ?? ""}`
      : `${String(open.length)} conflicts are open: ${open.join(", ")}`,
    {
      code: "conflicts",
      exit: EXIT.conflicts,
      hint: `your file stays as it is. ${SETTLE_HINT}`,
      details: open.map((path) => ({ file: path, message: "conflict" })),
    },
  );
}
