import { EXIT, UserError } from "../lib/errors.ts";

/** How a check treats a `.env` that is missing. */
export interface EnvCheck {
  /** Whether this is a check; else nothing is said of it here. */
  check: boolean;
  /** Whether a missing one is drift. It is not in git, so a clone has none. */
  requiresEnv: boolean;
}

/** What a check says of frameworks without `.env` where that is not drift. @param folders of those frameworks */
export function missingEnvNotes(folders: readonly string[], { check, requiresEnv }: EnvCheck): string[] {
  if (!check || requiresEnv || folders.length === 0) return [];
  return [`${folders.join(", ")}: .env is missing; this counts as drift only with --require-env`];
}

/** @returns undefined when none is missing, or when that does not count */
export function missingEnvError(folders: readonly string[], { requiresEnv }: EnvCheck): UserError | undefined {
  if (!requiresEnv || folders.length === 0) return undefined;
  return new UserError(`.env is missing in ${folders.join(", ")}`, {
    code: "drift",
    exit: EXIT.drift,
    hint: "npm run regenerate makes it; if this host runs the stack already, put the old one back",
  });
}
