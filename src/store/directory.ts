import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";

import { sha256 } from "../lib/digest.ts";
import { EXIT, isErrno, unreadable, UserError } from "../lib/errors.ts";
import type { DiskFile } from "../plan/disk.ts";
import { BASE_DIR, INCOMING_DIR, incomingPath, STATE_FILE, storedFor } from "../plan/state.ts";
import { oddFile, readText } from "../host/files.ts";

/** A file that was read; its digest is made only when somebody asks for it. */
class ReadFile implements DiskFile {
  readonly text: string;
  /** Kept only where the text does not say the same. */
  readonly #bytes: Buffer | undefined;
  #digest: string | undefined;

  constructor(path: string) {
    this.text = readText(path);
    if (!this.text.includes("\uFFFD")) return;
    const bytes = readFileSync(path);
    if (!Buffer.from(this.text).equals(bytes)) this.#bytes = bytes;
  }

  get sha256(): string {
    return (this.#digest ??= sha256(this.#bytes ?? this.text));
  }

  get exact(): boolean {
    return this.#bytes === undefined;
  }
}

/**
 * The files of a framework's directory that are there.
 * @param dir absolute path
 * @param shown the directory as the user knows it, for messages
 * @throws UserError exit 1 when a directory is in a file's place, exit 2 when a file may not be read
 */
export function readFiles(dir: string, paths: Iterable<string>, shown: string): Map<string, DiskFile> {
  const found = new Map<string, DiskFile>();
  for (const path of paths) {
    try {
      found.set(path, new ReadFile(`${dir}/${path}`));
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR")) continue;
      throw notReadable(error, `${shown}/${path}`);
    }
  }
  return found;
}

function notReadable(error: unknown, shown: string): unknown {
  if (isErrno(error, "EISDIR")) {
    return new UserError(`${shown} is a directory; a file of that name is generated`, {
      code: "not-a-file",
      exit: EXIT.failure,
      hint: "move it away",
    });
  }
  if (isErrno(error, "EACCES", "EPERM")) return unreadable(shown);
  if (!(error instanceof Error) || !("code" in error)) return error;
  return oddFile(shown, String(error.code), EXIT.failure);
}

/** Whether others than its owner may read a file. */
export function isReadableByOthers(dir: string, path: string): boolean {
  const found = statSync(`${dir}/${path}`, { throwIfNoEntry: false });
  return found !== undefined && (found.mode & 0o077) !== 0;
}

/**
 * Everything that a plan for a directory must know: the files that are or were generated, what lies beside
 * them in a conflict, and what is stored of them.
 * @param paths what the spec gives, and inputs such as `.env`
 */
export function readDirectory(dir: string, paths: Iterable<string>, shown: string): Map<string, DiskFile> {
  const stored = storedPaths(dir);
  const files = new Set(paths);
  for (const path of stored) {
    const about = storedFor(path);
    if (about !== undefined) files.add(about.path);
  }
  // Asking first is much cheaper than failing to open what is hardly ever there.
  const incoming = [...files].map(incomingPath).filter((path) => existsSync(`${dir}/${path}`));
  return readFiles(dir, [...files, ...incoming, ...stored, STATE_FILE], shown);
}

/** Paths below `.scaffold/` that hold a base or an offered rendition. */
function storedPaths(dir: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    let names: string[];
    try {
      names = readdirSync(`${dir}/${folder}`);
    } catch {
      // Nothing was stored: every file then counts as edited. Or it is no directory.
      return;
    }
    for (const name of names) {
      const path = `${folder}/${name}`;
      // Whatever is stored has an ending of its own, so what has none is a directory.
      if (storedFor(path) !== undefined) found.push(path);
      else walk(path);
    }
  };
  walk(BASE_DIR);
  if (existsSync(`${dir}/${INCOMING_DIR}`)) walk(INCOMING_DIR);
  return found;
}

/** Names of everything in a directory; none when it is gone. */
export function remainingIn(dir: string): string[] {
  try {
    return readdirSync(dir).toSorted();
  } catch {
    // Nothing of it is left.
    return [];
  }
}
