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
 * Prepares one derived file of the root (PORT_ALLOCATION.md). Everything that can fail fails here, before
 * the change that it belongs to.
 * @returns puts it in place by a rename: a reader sees the old or the new text; unchanged text is not written
 * @throws UserError exit 1 when a directory or a link stands in its place
 */
export function stageDerived(root: string, name: string, content: string): () => void {
  const target = requireDerivable(root, name);
  const found = fs.lstatSync(target, { throwIfNoEntry: false });
  if (found !== undefined && fs.readFileSync(target, "utf8") === content) return () => undefined;
  const temporary = join(root, `${STAGING_PREFIX}${name}`);
  fs.writeFileSync(temporary, content);
  fs.chmodSync(temporary, 0o644);
  return () => {
    fs.renameSync(temporary, target);
  };
}

/**
 * Checks that a derived file can be written.
 * @returns its absolute path
 * @throws UserError exit 1 when a directory or a link stands in its place
 */
export function requireDerivable(root: string, name: string): string {
  const target = containedPath(root, name);
  const found = fs.lstatSync(target, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return target;
  throw new UserError(`${name} is not a file; nothing was written`, {
    code: "not-a-file",
    exit: EXIT.failure,
    hint: "move it away: the table of ports is written there",
  });
}

/**
 * Writes a derived file together with the change that it belongs to: staged before, put in place after, and
 * taken away again when the change fails.
 */
export function withDerived(root: string, name: string, content: string, change: () => void): void {
  const put = stageDerived(root, name, content);
  try {
    change();
  } catch (error) {
    fs.removeSync(join(root, `${STAGING_PREFIX}${name}`));
    throw error;
  }
  put();
}
