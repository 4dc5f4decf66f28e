import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Where a change is staged, in the root; git passes over it, and no framework can have its name. */
export const JOURNAL_DIR = ".framework-infra.journal";

/** The root's lock: a directory, which only one process can make. */
export const LOCK_NAME = ".framework-infra.lock";

/** Whether another process may be writing below the root. */
export function isLocked(root: string): boolean {
  return lstatSync(join(root, LOCK_NAME), { throwIfNoEntry: false }) !== undefined;
}

/** What keeps git away from it; alone in it between two changes of one command. */
export const JOURNAL_IGNORE = ".gitignore";

/** Whether a command has staged changes in this root and has not cleaned up, be it at work or killed. */
export function hasJournal(root: string): boolean {
  return lstatSync(join(root, JOURNAL_DIR), { throwIfNoEntry: false }) !== undefined;
}

/** Whether a change of this root was begun and neither finished nor undone. */
export function isUnfinished(root: string): boolean {
  if (!hasJournal(root)) return false;
  try {
    return readdirSync(join(root, JOURNAL_DIR)).some((name) => name !== JOURNAL_IGNORE);
  } catch {
    // Another user's, or not a directory: whoever writes next looks into it.
    return true;
  }
}
