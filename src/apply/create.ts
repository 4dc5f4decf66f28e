import fs from "fs-extra";
import { dirname, join } from "node:path";

import { EXIT, isErrno, UserError } from "../errors.ts";
import type { Plan } from "../plan/plan.ts";
import { containedPath } from "./paths.ts";

/** Directories that are being made; the name starts with a dot, so nothing reads them. */
export const STAGING_PREFIX = ".framework-infra-new-";

/**
 * Writes a new directory: all of it into a staging directory on the same file system, then one
 * rename. A kill before the rename leaves no framework; after it, a complete one. Synchronous, so
 * that a signal is handled before it or after it, never in between.
 * @param root an existing directory, locked by the caller
 */
export function createDirectory(root: string, plan: Plan): void {
  const staging = fs.mkdtempSync(join(root, STAGING_PREFIX));
  try {
    const made = new Set<string>();
    for (const [path, file] of plan.writes) {
      const target = containedPath(staging, path);
      for (const parent of parentsOf(path)) {
        if (made.has(parent)) continue;
        made.add(parent);
        fs.mkdirSync(join(staging, parent));
        // Explicit modes: with a umask of 077, containers could not read their configuration.
        fs.chmodSync(join(staging, parent), 0o755);
      }
      fs.writeFileSync(target, file.content, { mode: file.mode, flag: "wx" });
      fs.chmodSync(target, file.mode);
    }
    fs.chmodSync(staging, 0o755);
    rename(staging, join(root, plan.framework), plan.framework);
  } catch (error) {
    fs.removeSync(staging);
    throw error;
  }
}

function rename(from: string, to: string, name: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (!isErrno(error, "ENOTEMPTY", "EEXIST", "ENOTDIR")) throw error;
    throw new UserError(`${name} has appeared meanwhile; nothing was written`, { code: "exists", exit: EXIT.failure });
  }
}

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) parents.unshift(parent);
  return parents;
}

/**
 * Writes one derived file of the root (PORT_ALLOCATION.md) so that a reader sees the old or the new text.
 * Unchanged text is not written.
 */
export function writeDerived(root: string, name: string, content: string): void {
  const target = containedPath(root, name);
  if (fs.existsSync(target) && fs.readFileSync(target, "utf8") === content) return;
  const temporary = join(root, `${STAGING_PREFIX}${name}`);
  fs.writeFileSync(temporary, content, { mode: 0o644 });
  fs.renameSync(temporary, target);
}
