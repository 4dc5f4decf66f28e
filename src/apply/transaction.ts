import fs from "fs-extra";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname, join } from "node:path";

import { sha256 } from "../digest.ts";
import { EXIT, isErrno, UserError } from "../errors.ts";
import { isEmpty, WITHOUT_BASE, type Plan } from "../plan/plan.ts";
import { isContained, MODE } from "../render/tree.ts";
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
  requireApplicable(dir, plan);
  const journal = journalOf(dir);
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

/**
 * Checks that a plan can be applied: every path leads into the directory, and no file changed since it was made.
 * @throws UserError exit 1
 */
export function requireApplicable(dir: string, plan: Plan): void {
  for (const [path, expected] of plan.preconditions) {
    if (digestOf(contained(dir, path, plan.framework)) === expected) continue;
    throw new UserError(`${plan.framework}/${path} changed while this command was running; nothing was written`, {
      code: "changed",
      exit: EXIT.failure,
      hint: "run the command again",
    });
  }
}

function contained(dir: string, path: string, framework: string): string {
  try {
    return containedPath(dir, path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${framework}/${error.message}`, { code: error.code, exit: error.exit, hint: error.hint });
  }
}

/** The journal's directory; a link in its place leads nowhere. @throws UserError exit 1 */
function journalOf(dir: string): string {
  return dirname(containedPath(dir, `${JOURNAL_DIR}/${JOURNAL}`));
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
  if (!fs.existsSync(join(dir, JOURNAL_DIR))) return [];
  const journal = journalOf(dir);
  if (!fs.existsSync(join(journal, JOURNAL))) {
    fs.removeSync(journal);
    return ["a change that was interrupted before it was decided has been undone"];
  }
  const aside = finish(dir);
  removeEmptyDirectory(dir);
  return [
    "a change that was interrupted has been finished",
    ...aside.map((path) =>
      WITHOUT_BASE.has(path)
        ? `warning: ${path} was edited since, and stays as it is; npm run regenerate brings it up to date`
        : `warning: ${path} was edited since; the text that was meant for it is in ${path}.incoming`,
    ),
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
  const journal = journalOf(dir);
  const entries = entriesIn(join(journal, JOURNAL));
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
    // An input is no rendition that could lie beside the file, and `.env` has secrets in it.
    if (edited && WITHOUT_BASE.has(path)) {
      fs.removeSync(source);
      continue;
    }
    makeParents(dir, path);
    fs.chmodSync(source, mode);
    fs.renameSync(source, edited ? containedPath(dir, `${path}.incoming`) : target);
  }
  // The journal's own name goes first: without it, the rest is only leftovers.
  fs.removeSync(join(journal, JOURNAL));
  fs.removeSync(journal);
  removeEmptyDirectory(join(dir, SCAFFOLD_DIR));
  return aside;
}

/** @throws UserError exit 1 for a list that this program did not write: it decides what is moved where */
function entriesIn(file: string): Entry[] {
  try {
    const { entries } = fs.readJsonSync(file) as { entries: unknown };
    if (Array.isArray(entries) && entries.every(isEntry)) return entries;
  } catch {
    // Reported below.
  }
  throw new UserError(`${file} is damaged`, {
    code: "journal-damaged",
    exit: EXIT.failure,
    hint: "look at the files beside it, then delete its directory; git has the state before",
  });
}

function isEntry(value: unknown): value is Entry {
  const entry = value as Partial<Record<keyof Entry, unknown>> | null;
  return (
    typeof entry === "object" &&
    entry !== null &&
    typeof entry.path === "string" &&
    isContained(entry.path) &&
    (entry.staged === null || (typeof entry.staged === "string" && /^\d+\.next$/.test(entry.staged))) &&
    typeof entry.mode === "number" &&
    Number.isInteger(entry.mode) &&
    entry.mode >= 0 &&
    entry.mode <= 0o777 &&
    (entry.before === null || (typeof entry.before === "string" && /^[0-9a-f]{64}$/.test(entry.before)))
  );
}

/** The directories above a file, with modes that let containers in whatever the umask. */
function makeParents(dir: string, path: string): void {
  const parents = path.split("/").slice(0, -1);
  for (let depth = 1; depth <= parents.length; depth += 1) {
    const parent = join(dir, ...parents.slice(0, depth));
    if (fs.existsSync(parent)) continue;
    fs.mkdirSync(parent);
    fs.chmodSync(parent, 0o755);
  }
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
