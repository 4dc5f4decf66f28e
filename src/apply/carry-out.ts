import { removeSync } from "fs-extra/esm";
import fs from "node:fs";
import { dirname, join } from "node:path";

import { sha256 } from "../lib/digest.ts";
import { EXIT, isErrno, UserError } from "../lib/errors.ts";
import { WITHOUT_BASE } from "../plan/plan.ts";
import type { Journal, Step } from "./journal.ts";
import { containedPath, entryAt } from "./paths.ts";

/** A file that was edited after the change was decided; `beside`: the text that was meant for it is in `.incoming`. */
export interface LeftAlone {
  path: string;
  beside: boolean;
}

/**
 * Carries out the steps of a decided change; doing it twice is harmless.
 * @param requireHeld throws when another process has taken the root over: it finishes this change, so nothing more
 *   may be written here
 * @returns files that were left alone, because somebody edited them since the change was decided
 */
export function carryOut(root: string, journal: Journal, steps: readonly Step[], requireHeld: () => void): LeftAlone[] {
  const aside: LeftAlone[] = [];
  for (const step of steps) {
    requireHeld();
    if (step.kind === "remove") remove(root, step.path, step.before);
    else if (step.kind === "directory")
      moveDirectory(join(journal.dir, step.staged), containedPath(root, step.path), step.path);
    else if (step.kind === "derived") moveStaged(root, join(journal.dir, step.staged), step.path);
    else aside.push(...moveUnedited(root, join(journal.dir, step.staged), step));
  }
  journal.finish();
  return aside;
}

/** @returns the file when somebody has edited it since: it stays */
function moveUnedited(root: string, source: string, { path, before }: Extract<Step, { kind: "file" }>): LeftAlone[] {
  // Already moved by the process that was killed.
  if (!isStaged(source)) return [];
  const found = digestOf(containedPath(root, path));
  if (found === before || found === digestOf(source)) {
    moveStaged(root, source, path);
    return [];
  }
  // An input is not a rendition that could lie beside the file, and `.env` has secrets in it.
  const beside = !WITHOUT_BASE.has(path.slice(path.indexOf("/") + 1));
  if (beside) moveStaged(root, source, `${path}.incoming`);
  else removeSync(source);
  return [{ path, beside }];
}

function moveStaged(root: string, source: string, path: string): void {
  if (!isStaged(source)) return;
  const target = containedPath(root, path);
  fs.mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  try {
    fs.renameSync(source, target);
  } catch (error) {
    // Another file system is mounted there: as near to a rename as it can be.
    if (!isErrno(error, "EXDEV")) throw error;
    const beside = `${target}.framework-infra-new`;
    fs.copyFileSync(source, beside);
    fs.chmodSync(beside, fs.statSync(source).mode);
    fs.renameSync(beside, target);
    removeSync(source);
  }
}

function moveDirectory(source: string, target: string, name: string): void {
  if (entryAt(source)?.isDirectory() !== true) return;
  try {
    fs.renameSync(source, target);
  } catch (error) {
    if (!isErrno(error, "ENOTEMPTY", "EEXIST", "ENOTDIR")) throw error;
    throw new UserError(`${name} was created in the meantime`, {
      code: "exists",
      exit: EXIT.failure,
      hint: "move it away, then run the command again",
    });
  }
}

/** Deletes a file that is still as it was when that was decided, and the directories that are empty without it. */
function remove(root: string, path: string, before: string | null): void {
  const target = containedPath(root, path);
  const found = digestOf(target);
  if (found !== null && found === before) fs.unlinkSync(target);
  for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
    try {
      fs.rmdirSync(join(root, parent));
    } catch (error) {
      if (isErrno(error, "ENOENT")) continue;
      if (!mustStay(error, join(root, dirname(parent)))) throw error;
      // So must those above it.
      return;
    }
  }
}

/** Whether a directory stays for a reason that lasts: it holds something, it is a mount, or the one above is read-only. */
function mustStay(error: unknown, above: string): boolean {
  if (isErrno(error, "ENOTEMPTY", "EEXIST", "EBUSY")) return true;
  try {
    fs.accessSync(above, fs.constants.W_OK);
    return false;
  } catch {
    return isErrno(error, "EACCES", "EPERM", "EROFS");
  }
}

function isStaged(source: string): boolean {
  return entryAt(source)?.isFile() === true;
}

/** sha256 of a file's bytes; null when there is no file. */
export function digestOf(path: string): string | null {
  return entryAt(path)?.isFile() === true ? sha256(fs.readFileSync(path)) : null;
}
