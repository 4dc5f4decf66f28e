import fs from "node:fs";
import { dirname } from "node:path";

import { EXIT, UserError } from "../lib/errors.ts";
import { WITHOUT_BASE } from "../plan/plan.ts";
import { MODE, type RenderedFile } from "../render/tree.ts";
import { carryOut, digestOf } from "./carry-out.ts";
import type { Journal, Step } from "./journal.ts";
import { containedPath, entryAt } from "./paths.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Makes a change of the root, all of it or nothing. Staged first, then a list of steps is put in place by one rename:
 * from there on the change is decided, and the next command finishes it. Before that point nothing has changed.
 * Synchronous, so that a signal is handled before it or after it, never in between.
 * @param root an existing directory, locked by the caller, who removes the journal after the last change
 * @param requireHeld throws when the lock was lost; called before every step
 * @throws UserError exit 1 when a file changed since the plan was made, or leads out of its directory
 */
export function commit(root: string, transaction: Transaction, journal: Journal, requireHeld: () => void): void {
  requireApplicable(root, transaction);
  // An earlier change of this session that was decided and not carried out: staging over it would undo a half of it.
  if (journal.isStuck) throw unfinished();
  withPlainModes(() => {
    let steps: Step[];
    try {
      journal.make();
      steps = stage(root, journal, transaction);
      journal.decide(steps);
    } catch (error) {
      // Whoever has taken the root over finishes or undoes this: then that is what to tell, whatever failed here.
      requireHeld();
      undo(journal);
      throw error;
    }
    carryOut(root, journal, steps, requireHeld);
  });
}

/** Removes what was only prepared, unless the root belongs to somebody else by now, who does that. */
function undo(journal: Journal): void {
  try {
    if (journal.exists) journal.remove();
  } catch {
    // What cannot be removed now, the next command removes; the reason for undoing is the one to tell.
  }
}

/**
 * Checks that a change can be made: every path leads into its directory, and no file changed since it was planned.
 * @throws UserError exit 1
 */
export function requireApplicable(
  root: string,
  { directories, writes, removes, preconditions, derived }: Transaction,
): void {
  for (const path of directories.keys()) {
    if (entryAt(containedPath(root, path)) !== undefined)
      throw changed(`${path} has appeared while this command was running`);
  }
  for (const path of writes.keys()) requireWritable(root, path);
  for (const path of removes) if (entryAt(containedPath(root, path))?.isFile() === true) requireWritable(root, path);
  for (const [path, expected] of preconditions) {
    if (digestOf(containedPath(root, path)) !== expected)
      throw changed(`${path} changed while this command was running`);
  }
  for (const path of derived.keys()) requireWritable(root, path);
}

function unfinished(): UserError {
  return new UserError("an earlier change could not be finished; nothing more was written", {
    code: "unfinished",
    exit: EXIT.failure,
    hint: "run the command again: it finishes that change first",
  });
}

function changed(what: string): UserError {
  return new UserError(`${what}; nothing was written`, {
    code: "changed",
    exit: EXIT.failure,
    hint: "run the command again",
  });
}

/**
 * A change that was decided must not fail half way.
 * @throws UserError exit 1 when something that is not a file is in a file's place, or its directory cannot be written
 */
function requireWritable(root: string, path: string): void {
  const target = containedPath(root, path);
  const found = entryAt(target);
  if (found !== undefined && !found.isFile()) throw notPossible(`${path} is not a file`, "move it away");
  let parent = dirname(target);
  while (parent.length > root.length && !fs.existsSync(parent)) parent = dirname(parent);
  // Only of a dry run: a real one has made the root.
  if (!fs.existsSync(parent)) return;
  if (!fs.statSync(parent).isDirectory())
    throw notPossible(`${shown(root, parent)} is not a directory`, "move it away");
  try {
    fs.accessSync(parent, fs.constants.W_OK);
  } catch {
    throw notPossible(`${shown(root, parent)} cannot be written`, "check its owner and mode (ls -ld)");
  }
}

function shown(root: string, path: string): string {
  return path === root ? "the root" : path.slice(root.length + 1);
}

function notPossible(what: string, hint: string): UserError {
  return new UserError(`${what}; nothing was written`, { code: "not-a-file", exit: EXIT.failure, hint });
}

function stage(root: string, journal: Journal, transaction: Transaction): Step[] {
  const steps: Step[] = [];
  const next = (): string => `${String(steps.length)}.next`;
  for (const [path, files] of transaction.directories) {
    const staged = next();
    journal.makeDirectory(staged);
    const made = new Set<string>();
    for (const [name, { content, mode }] of files) {
      for (const parent of parentsOf(name)) {
        if (!made.has(parent)) journal.makeDirectory(`${staged}/${parent}`);
        made.add(parent);
      }
      // What a power failure takes of a new directory, regenerate gives back; but not its inputs.
      journal.stage(`${staged}/${name}`, content, mode, WITHOUT_BASE.has(name));
    }
    steps.push({ kind: "directory", path, staged });
  }
  for (const [path, { content, mode }] of transaction.writes) {
    const staged = next();
    journal.stage(staged, content, modeFor(root, path, mode));
    steps.push({ kind: "file", path, staged, before: transaction.preconditions.get(path) ?? null });
  }
  for (const path of transaction.removes)
    steps.push({ kind: "remove", path, before: transaction.preconditions.get(path) ?? null });
  for (const [path, { content, mode }] of transaction.derived) {
    const staged = next();
    journal.stage(staged, content, mode, false);
    steps.push({ kind: "derived", path, staged });
  }
  return steps;
}

function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) parents.unshift(parent);
  return parents;
}

/** A file keeps the mode that somebody gave it, with the right to execute where it needs one; `.env` is private. */
function modeFor(root: string, path: string, wanted: RenderedFile["mode"]): number {
  const found = wanted === MODE.secret ? undefined : entryAt(containedPath(root, path));
  return found === undefined ? wanted : (found.mode & 0o777) | (wanted & 0o111);
}

/** With a umask such as 077, containers could not read their configuration: what is made has the mode it is given. */
export function withPlainModes<T>(work: () => T): T {
  const before = process.umask(0);
  try {
    return work();
  } finally {
    process.umask(before);
  }
}
