import fs from "fs-extra";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname, join } from "node:path";

import { sha256 } from "../digest.ts";
import { EXIT, isErrno, UserError } from "../errors.ts";
import { isEmpty, type Plan } from "../plan/plan.ts";
import { MODE } from "../render/tree.ts";
import { SCAFFOLD_DIR } from "../plan/state.ts";
import { STAGING_PREFIX } from "./create.ts";
import { containedPath } from "./paths.ts";

const JOURNAL_DIR = `${SCAFFOLD_DIR}/journal`;
const JOURNAL = "journal.json";

interface Entry {
  path: string;
  /** Name of the staged file inside the journal's directory; null: the file is deleted. */
  staged: string | null;
  mode: number;
  /** sha256 of what stood there when the change was decided; null: nothing. */
  before: string | null;
}

/**
 * Applies a plan to an existing directory. Staged first, then a journal is put in place by one
 * rename: from there on the change is decided, and whoever comes next finishes it. Before that
 * point nothing of the directory has changed.
 * @param dir the framework's directory; the root is locked by the caller
 * @throws UserError exit 1 when a file changed since the plan was made
 */
export function applyPlan(dir: string, plan: Plan): void {
  if (isEmpty(plan)) return;
  for (const [path, expected] of plan.preconditions) {
    if (digestOf(containedPath(dir, path)) !== expected) {
      throw new UserError(`${plan.framework}/${path} changed while this command was running; nothing was written`, {
        code: "changed",
        exit: EXIT.failure,
        hint: "run the command again",
      });
    }
  }
  const journal = join(dir, JOURNAL_DIR);
  fs.removeSync(journal);
  fs.ensureDirSync(journal, { mode: 0o700 });
  const written = [...plan.writes].map(([path, file], index): Entry => {
    const staged = `${String(index)}.next`;
    // 0600 until it is in place: it may be `.env`.
    writeDurably(join(journal, staged), file.content);
    const mode = modeFor(containedPath(dir, path), file.mode);
    return { path, staged, mode, before: plan.preconditions.get(path) ?? null };
  });
  const removed = [...plan.removes].map((path): Entry => {
    return { path, staged: null, mode: 0, before: plan.preconditions.get(path) ?? null };
  });
  const entries = [...written, ...removed];
  writeDurably(join(journal, `${JOURNAL}.tmp`), JSON.stringify({ schemaVersion: 1, entries }));
  fs.renameSync(join(journal, `${JOURNAL}.tmp`), join(journal, JOURNAL));
  syncDirectory(journal);
  finish(dir);
}

/** Whether a change of this directory was begun and not finished. */
export function isUnfinished(dir: string): boolean {
  return fs.existsSync(join(dir, JOURNAL_DIR));
}

/**
 * Finishes what a killed command had decided, or removes what it had only prepared. A file that somebody
 * edited after the kill stays, and the text that was meant for it is put beside it.
 * @returns what was done, for the person; nothing when there was nothing to do
 */
export function recover(dir: string): string[] {
  const journal = join(dir, JOURNAL_DIR);
  if (!fs.existsSync(journal)) return [];
  if (!fs.existsSync(join(journal, JOURNAL))) {
    fs.removeSync(journal);
    return ["a change that was interrupted before it was decided has been undone"];
  }
  const aside = finish(dir);
  return [
    "a change that was interrupted has been finished",
    ...aside.map((path) => `warning: ${path} was edited since; the text that was meant for it is in ${path}.incoming`),
  ];
}

/** Removes a framework's directory when nothing is left in it. */
export function removeEmptyDirectory(dir: string): void {
  try {
    fs.rmdirSync(dir);
  } catch (error) {
    if (!isErrno(error, "ENOTEMPTY", "EEXIST", "ENOENT")) throw error;
  }
}

/** Removes directories that a killed `new-framework` had not yet put in place. */
export function removeStaging(root: string): void {
  for (const name of fs.readdirSync(root)) {
    if (name.startsWith(STAGING_PREFIX)) fs.removeSync(join(root, name));
  }
}

/**
 * Moves every staged file to its place; doing it twice is harmless.
 * @returns the files that were left alone, because they are neither as before nor as meant
 */
function finish(dir: string): string[] {
  const journal = join(dir, JOURNAL_DIR);
  const { entries } = fs.readJsonSync(join(journal, JOURNAL)) as { entries: Entry[] };
  const aside: string[] = [];
  for (const { path, staged, mode, before } of entries) {
    if (staged === null) {
      removeUnedited(dir, path, before);
      continue;
    }
    const source = join(journal, staged);
    // Already moved by the process that was killed.
    if (!fs.existsSync(source)) continue;
    const target = containedPath(dir, path);
    const found = digestOf(target);
    const edited = found !== before && found !== digestOf(source);
    if (edited) aside.push(path);
    fs.ensureDirSync(dirname(target), { mode: 0o755 });
    fs.chmodSync(source, mode);
    fs.renameSync(source, edited ? containedPath(dir, `${path}.incoming`) : target);
  }
  // The journal's own name goes first: without it, the rest is only leftovers.
  fs.removeSync(join(journal, JOURNAL));
  fs.removeSync(journal);
  removeEmptyDirectory(join(dir, SCAFFOLD_DIR));
  return aside;
}

function digestOf(path: string): string | null {
  return fs.existsSync(path) ? sha256(fs.readFileSync(path)) : null;
}

/** A file keeps the mode that somebody gave it, with the right to execute where it needs one; `.env` is private. */
function modeFor(path: string, wanted: number): number {
  const found = wanted === MODE.secret ? undefined : fs.statSync(path, { throwIfNoEntry: false });
  return found === undefined ? wanted : (found.mode & 0o777) | (wanted & 0o111);
}

/** Deletes a file that is still as it was when that was decided, and the directories that are empty without it. */
function removeUnedited(dir: string, path: string, before: string | null): void {
  const target = containedPath(dir, path);
  if (digestOf(target) === null || digestOf(target) !== before) return;
  fs.removeSync(target);
  for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) {
    try {
      fs.rmdirSync(join(dir, parent));
    } catch {
      // Not empty: so are those above it.
      return;
    }
  }
}

function writeDurably(path: string, content: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    fs.writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
