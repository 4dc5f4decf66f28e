import { EXIT, UserError } from "../lib/errors.ts";

/** What to do about a conflict. */
export const SETTLE_HINT =
  "Put what you want of FILE.incoming into FILE, delete FILE.incoming, then npm run regenerate; or npm run regenerate -- --ours=FILE (keep yours) or --theirs=FILE (take the new one)";

/** Paths in conflict inside one framework's directory. */
export interface OpenConflicts {
  folder: string;
  conflicts: readonly string[];
}

/** A file in conflict, as `folder/path`, and what both sides changed. */
export interface FoundConflict {
  path: string;
  reason: string;
}

/** The error of a command that left conflicts open, exit 4; undefined when there is none. */
export function conflictsError(changes: readonly OpenConflicts[]): UserError | undefined {
  const open = changes.flatMap(({ folder, conflicts }) => conflicts.map((path) => `${folder}/${path}`));
  if (open.length === 0) return undefined;
  return new UserError(
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
