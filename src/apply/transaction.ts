import fs from "fs-extra";
import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname, join } from "node:path";

import { sha256 } from "../digest.ts";
import { EXIT, UserError } from "../errors.ts";
import type { Plan } from "../plan/plan.ts";
import { SCAFFOLD_DIR } from "../plan/state.ts";
import { STAGING_PREFIX } from "./create.ts";
import { containedPath } from "./paths.ts";

const JOURNAL_DIR = `${SCAFFOLD_DIR}/journal`;
const JOURNAL = "journal.json";

interface Entry {
  path: string;
  /** Name of the staged file inside the journal's directory. */
  staged: string;
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
  if (plan.writes.size === 0) return;
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
  const entries = [...plan.writes].map(([path, file], index): Entry => {
    const staged = `${String(index)}.next`;
    // 0600 until it is in place: it may be `.env`.
    writeDurably(join(journal, staged), file.content);
    return { path, staged, mode: file.mode, before: plan.preconditions.get(path) ?? null };
  });
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
  return aside;
}

function digestOf(path: string): string | null {
  return fs.existsSync(path) ? sha256(fs.readFileSync(path, "utf8")) : null;
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
