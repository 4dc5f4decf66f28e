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
    const target = containedPath(dir, path);
    const found = fs.existsSync(target) ? sha256(fs.readFileSync(target, "utf8")) : null;
    if (found !== expected) {
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
    return { path, staged, mode: file.mode };
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
 * Finishes what a killed command had decided, or removes what it had only prepared.
 * @returns what was done, for the person; undefined when there was nothing
 */
export function recover(dir: string): "finished" | "undone" | undefined {
  const journal = join(dir, JOURNAL_DIR);
  if (!fs.existsSync(journal)) return undefined;
  if (fs.existsSync(join(journal, JOURNAL))) {
    finish(dir);
    return "finished";
  }
  fs.removeSync(journal);
  return "undone";
}

/** Removes directories that a killed `new-framework` had not yet put in place. */
export function removeStaging(root: string): void {
  for (const name of fs.readdirSync(root)) {
    if (name.startsWith(STAGING_PREFIX)) fs.removeSync(join(root, name));
  }
}

/** Moves every staged file to its place; doing it twice is harmless. */
function finish(dir: string): void {
  const journal = join(dir, JOURNAL_DIR);
  const { entries } = fs.readJsonSync(join(journal, JOURNAL)) as { entries: Entry[] };
  for (const { path, staged, mode } of entries) {
    const source = join(journal, staged);
    // Already moved by the process that was killed.
    if (!fs.existsSync(source)) continue;
    const target = containedPath(dir, path);
    fs.ensureDirSync(dirname(target), { mode: 0o755 });
    fs.chmodSync(source, mode);
    fs.renameSync(source, target);
  }
  // The journal's own name goes first: without it, the rest is only leftovers.
  fs.removeSync(join(journal, JOURNAL));
  fs.removeSync(journal);
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
