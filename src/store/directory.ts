import { existsSync, lstatSync, readdirSync, statSync, type Dirent } from "node:fs";

import { sha256 } from "../lib/digest.ts";
import { EXIT, isErrno, unreadable, UserError } from "../lib/errors.ts";
import type { DiskFile } from "../plan/disk.ts";
import { BASE_DIR, INCOMING_DIR, incomingPath, SCAFFOLD_DIR, STATE_FILE, storedFor } from "../plan/state.ts";
import { oddFile, readContent } from "../host/files.ts";

/** A file that was read; its digest is made only when somebody asks for it. */
class ReadFile implements DiskFile {
  readonly text: string;
  /** Kept only where the text does not say the same. */
  readonly #bytes: Buffer | undefined;
  #digest: string | undefined;

  constructor(path: string, links: "followed" | "refused") {
    const { text, bytes } = readContent(path, links);
    this.text = text;
    this.#bytes = bytes;
  }

  get sha256(): string {
    return (this.#digest ??= sha256(this.#bytes ?? this.text));
  }

  get exact(): boolean {
    return this.#bytes === undefined;
  }
}

// It may lie where secrets are kept, and none of it is ever shown.
const FOLLOWED = ".env";

/**
 * The files of a framework's directory that are there. A link in the place of one is not followed: whatever it leads
 * to could be shown in a diff. `.env` alone may be one; its values are never shown.
 * @param dir absolute path
 * @param shown the directory as the user knows it, for messages
 * @throws UserError exit 1 when something else is in a file's place, exit 2 when a file may not be read
 */
export function readFiles(dir: string, paths: Iterable<string>, shown: string): Map<string, DiskFile> {
  const found = new Map<string, DiskFile>();
  for (const path of paths) {
    const links = path === FOLLOWED ? "followed" : "refused";
    try {
      found.set(path, new ReadFile(`${dir}/${path}`, links));
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENOTDIR")) continue;
      throw notReadable(error, `${shown}/${path}`, links);
    }
  }
  return found;
}

function notReadable(error: unknown, shown: string, links: "followed" | "refused"): unknown {
  if (isErrno(error, "EISDIR")) {
    return new UserError(`${shown} is a directory; a file of that name is generated`, {
      code: "not-a-file",
      exit: EXIT.failure,
      hint: "move it away",
    });
  }
  if (isErrno(error, "EACCES", "EPERM")) return unreadable(shown);
  if (!(error instanceof Error) || !("code" in error)) return error;
  return oddFile(shown, String(error.code), links, EXIT.failure);
}

/** Whether others than its owner may read a file. */
export function isReadableByOthers(dir: string, path: string): boolean {
  return ((modeOf(dir, path) ?? 0) & 0o077) !== 0;
}

/** The permission bits of a file, a link followed; undefined when there is none. */
export function modeOf(dir: string, path: string): number | undefined {
  const found = statSync(`${dir}/${path}`, { throwIfNoEntry: false });
  return found === undefined ? undefined : found.mode & 0o777;
}

/**
 * Files with an open conflict: the other rendition is still beside them.
 * @throws UserError exit 1 when a directory of `.scaffold` is a link
 */
export function openConflicts(dir: string, shown: string): string[] {
  return storedPaths(dir, shown, [SCAFFOLD_DIR, INCOMING_DIR])
    .flatMap((path) => {
      const about = storedFor(path);
      return about?.kind === "offered" ? [about.path] : [];
    })
    .filter((path) => existsSync(`${dir}/${incomingPath(path)}`))
    .toSorted();
}

/**
 * Everything that a plan for a directory must know: the files that are or were generated, what lies beside
 * them in a conflict, and what is stored of them.
 * @param paths what the spec gives, and inputs such as `.env`
 */
export function readDirectory(dir: string, paths: Iterable<string>, shown: string): Map<string, DiskFile> {
  const stored = storedPaths(dir, shown);
  const files = new Set(paths);
  for (const path of stored) {
    const about = storedFor(path);
    if (about !== undefined) files.add(about.path);
  }
  // Asking first is much cheaper than failing to open what is hardly ever there.
  const incoming = [...files].map(incomingPath).filter((path) => existsSync(`${dir}/${path}`));
  return readFiles(dir, [...files, ...incoming, ...stored, STATE_FILE], shown);
}

/**
 * Paths below `.scaffold/` that hold a base or an offered rendition.
 * @param folders where to look
 * @throws UserError exit 1 when `.scaffold` or a directory in it is a link: it could lead round in a circle, or out
 */
function storedPaths(dir: string, shown: string, folders = [SCAFFOLD_DIR, BASE_DIR, INCOMING_DIR]): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    let entries: Dirent[];
    try {
      entries = readdirSync(`${dir}/${folder}`, { withFileTypes: true });
    } catch {
      // Nothing was stored: every file then counts as edited. Or it is no directory.
      return;
    }
    for (const entry of entries) {
      const path = `${folder}/${entry.name}`;
      if (storedFor(path) !== undefined) found.push(path);
      else if (entry.isDirectory()) walk(path);
    }
  };
  for (const folder of folders) {
    const entry = lstatSync(`${dir}/${folder}`, { throwIfNoEntry: false });
    if (entry?.isSymbolicLink() === true) throw oddFile(`${shown}/${folder}`, "ELOOP", "refused", EXIT.failure);
    if (folder !== SCAFFOLD_DIR && entry !== undefined) walk(folder);
  }
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
