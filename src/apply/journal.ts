import { removeSync } from "fs-extra/esm";
import fs, { closeSync, fsyncSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { EXIT, UserError } from "../lib/errors.ts";
import { isContained } from "../render/tree.ts";
import { JOURNAL_DIR, JOURNAL_IGNORE } from "../store/journal.ts";
import { entryAt } from "./paths.ts";

const JOURNAL = "journal.json";

/** One step of a change that was decided; `path` is relative to the root, `staged` to the journal's directory. */
export type Step =
  | {
      kind: "file";
      path: string;
      staged: string;
      /** sha256 of what was there; null: nothing. */ before: string | null;
    }
  | { kind: "derived"; path: string; staged: string }
  | { kind: "directory"; path: string; staged: string }
  | { kind: "remove"; path: string; before: string | null };

/**
 * What tells this journal from one that came from elsewhere, by git or in an archive: a list of files to move is to be
 * trusted only where it was written.
 */
interface Origin {
  host: string;
  user: number;
  /** Device and inode of the journal's directory. */
  directory: string;
}

/** The directory in which a change is staged. Whoever may read the root may not read it: `.env` lies in it. */
export class Journal {
  readonly dir: string;
  readonly #file: string;
  readonly #written: number[] = [];
  readonly #requireHeld: () => void;

  /** @param requireHeld throws when the root's lock was lost; asked before every write */
  constructor(root: string, requireHeld: () => void) {
    this.dir = join(root, JOURNAL_DIR);
    this.#file = join(this.dir, JOURNAL);
    this.#requireHeld = requireHeld;
  }

  get exists(): boolean {
    return entryAt(this.dir) !== undefined;
  }

  /** Whether the directory is there and holds no change. */
  get isIdle(): boolean {
    return this.exists && fs.readdirSync(this.dir).every((name) => name === JOURNAL_IGNORE);
  }

  /** Whether it holds a change that was not carried out or undone whole: until it is, nothing else may be staged. */
  get isStuck(): boolean {
    return this.exists && !this.isIdle;
  }

  /** Makes the directory unless it is there; from its first moment on, git passes over what is in it. */
  make(): void {
    if (this.exists) return;
    this.#requireHeld();
    fs.mkdirSync(this.dir, { mode: 0o700 });
    this.stage(JOURNAL_IGNORE, "*\n", 0o644, false);
  }

  /**
   * Writes a staged file.
   * @param name inside the journal's directory
   * @param isFlushed whether it must be on the disk before the change is decided
   */
  stage(name: string, content: string, mode: number, isFlushed = true): void {
    this.#requireHeld();
    const path = `${this.dir}/${name}`;
    if (!isFlushed) {
      fs.writeFileSync(path, content, { mode, flag: "wx" });
      return;
    }
    const file = openSync(path, "wx", mode);
    // All together before the change is decided: then the first flush does most of the work of all.
    this.#written.push(file);
    fs.writeFileSync(file, content);
  }

  makeDirectory(name: string): void {
    this.#requireHeld();
    fs.mkdirSync(`${this.dir}/${name}`, { mode: 0o755 });
  }

  /** From here on the change is decided, and the next command finishes it. */
  decide(steps: readonly Step[]): void {
    this.stage(`${JOURNAL}.tmp`, JSON.stringify({ schemaVersion: 1, origin: this.#origin(), steps }), 0o600);
    this.#flush();
    this.#requireHeld();
    fs.renameSync(`${this.#file}.tmp`, this.#file);
    syncDirectory(this.dir);
  }

  #flush(): void {
    for (const file of this.#written.splice(0)) {
      fsyncSync(file);
      closeSync(file);
    }
  }

  /** Every step was carried out: nothing staged is left, and nothing is to be done any more. */
  finish(): void {
    this.#requireHeld();
    fs.unlinkSync(this.#file);
  }

  /**
   * Removes what is staged. The list goes first: without it, the rest is only leftovers.
   * @returns whether there was anything
   */
  clear(): boolean {
    for (const file of this.#written.splice(0)) closeSync(file);
    const names = fs.readdirSync(this.dir).filter((name) => name !== JOURNAL_IGNORE);
    for (const name of names.toSorted((a, b) => Number(b === JOURNAL) - Number(a === JOURNAL))) {
      this.#requireHeld();
      removeSync(join(this.dir, name));
    }
    return names.length > 0;
  }

  /** Removes the directory, what keeps git away last. */
  remove(): void {
    this.clear();
    this.#requireHeld();
    removeSync(join(this.dir, JOURNAL_IGNORE));
    fs.rmdirSync(this.dir);
  }

  /**
   * The steps of a change that was decided.
   * @returns undefined when it was not decided yet
   * @throws UserError exit 1 for a journal that this program did not write on this host: it decides what is moved where
   */
  read(): Step[] | undefined {
    const found = entryAt(this.#file);
    const dir = fs.lstatSync(this.dir);
    if (!dir.isDirectory()) throw this.#refused("is not a directory");
    if (found === undefined) return undefined;
    if (!found.isFile()) throw this.#refused(`holds a ${JOURNAL} that is not a file`);
    let value: unknown;
    try {
      value = JSON.parse(fs.readFileSync(this.#file, "utf8"));
    } catch {
      throw this.#refused("is damaged");
    }
    const { origin, steps } = (value ?? {}) as { origin?: unknown; steps?: unknown };
    if (!Array.isArray(steps) || !steps.every(isStep)) throw this.#refused("is damaged");
    if (JSON.stringify(origin) !== JSON.stringify(this.#origin()))
      throw this.#refused("was not made on this host by you");
    return steps;
  }

  #origin(): Origin {
    const { dev, ino } = fs.statSync(this.dir);
    return { host: hostname(), user: process.getuid?.() ?? 0, directory: `${String(dev)}/${String(ino)}` };
  }

  #refused(what: string): UserError {
    return new UserError(`${this.dir} ${what}, so the interrupted change in it cannot be finished`, {
      code: "journal-damaged",
      exit: EXIT.failure,
      hint: "look at the files in it, then delete it; git has the state before",
    });
  }
}

function isStep(value: unknown): value is Step {
  const { kind, path, staged, before } = (value ?? {}) as Partial<
    Record<"kind" | "path" | "staged" | "before", unknown>
  >;
  if (typeof path !== "string" || !isContained(path) || path.startsWith(JOURNAL_DIR)) return false;
  const digest = before === null || (typeof before === "string" && /^[0-9a-f]{64}$/.test(before));
  if (kind === "remove") return digest;
  if (typeof staged !== "string" || !/^\d+\.next$/.test(staged)) return false;
  return kind === "directory" || kind === "derived" || (kind === "file" && digest);
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
