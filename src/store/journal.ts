import { lstatSync } from "node:fs";
import { join } from "node:path";

/** Where a change is staged, in the root; git passes over it, and no framework can have its name. */
export const JOURNAL_DIR = ".framework-infra.journal";

/** The root's lock: a directory, which only one process can make. */
export const LOCK_NAME = ".framework-infra.lock";

/** Whether another process may be writing below the root. */
export function isLocked(root: string): boolean {
  return lstatSync(join(root, LOCK_NAME), { throwIfNoEntry: false }) !== undefined;
}

/** Whether a change of this root was begun and neither finished nor undone. */
export function isUnfinished(root: string): boolean {
  return lstatSync(join(root, JOURNAL_DIR), { throwIfNoEntry: false }) !== undefined;
}
