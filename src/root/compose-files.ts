import { realpathSync, statSync, type Dirent } from "node:fs";
import { dirname, isAbsolute, join, normalize, sep } from "node:path";

import type { Catalogue } from "../catalogue/catalogue.ts";
import { isComposeFile } from "../compose/file.ts";
import { entriesOf } from "../host/files.ts";

/** Where compose files are looked for, and what is known about it. */
export interface Search {
  /** Absolute path of the root. */
  root: string;
  /** The root as the user named it. */
  shown: string;
  catalogue: Catalogue;
  /** What could not be judged: each is a sentence that names the file. */
  warnings: string[];
}

const SKIPPED = /^(?:\..*|node_modules)$/;

/** Directories that hold no framework and no compose file of anybody. */
export function isSkipped(name: string): boolean {
  return SKIPPED.test(name);
}

// How far compose files are looked for below a directory of the root: data that somebody keeps there may be large.
const MAX_DEPTH = 6;
const MAX_DIRECTORIES = 1_000;

/**
 * Compose files in a folder and below it, as paths relative to the root. Not entered: directories whose name starts
 * with a dot, `node_modules`, and links to directories. A linked file counts when it leads to a file of the root. What
 * is left out and may publish a port is named in a warning.
 * @param folder relative to the root; "" for the root itself, whose folders are not entered
 */
export function* composeFilesIn(search: Search, folder: string): Generator<string, void> {
  const budget = { left: MAX_DIRECTORIES };
  yield* walk(search, folder, folder === "" ? 0 : MAX_DEPTH, budget);
  if (budget.left < 0)
    search.warnings.push(
      `${search.shown}/${folder} has more than ${String(MAX_DIRECTORIES)} directories; compose files in the rest are not read`,
    );
}

function* walk(search: Search, folder: string, depth: number, budget: { left: number }): Generator<string, void> {
  const here = folder === "" ? search.shown : `${search.shown}/${folder}`;
  const entries = entriesOf(join(search.root, folder));
  if (entries === undefined) {
    search.warnings.push(`${here} cannot be read, so the ports of compose files in it are not known`);
    return;
  }
  for (const entry of entries) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (isComposeFile(entry.name)) {
      if (entry.isFile()) yield path;
      else if (entry.isSymbolicLink()) yield* linkedFile(search, path);
    } else if (folder === "" || isSkipped(entry.name)) continue;
    else if (entry.isSymbolicLink()) warnOfLinkedDirectory(search, path);
    else if (entry.isDirectory()) yield* below(search, path, depth, budget);
  }
}

function* below(search: Search, path: string, depth: number, budget: { left: number }): Generator<string, void> {
  if (depth === 0) {
    search.warnings.push(
      `${search.shown}/${path} is more than ${String(MAX_DEPTH)} directories deep; compose files in it are not read`,
    );
    return;
  }
  budget.left -= 1;
  if (budget.left >= 0) yield* walk(search, path, depth - 1, budget);
}

function* linkedFile(search: Search, path: string): Generator<string, void> {
  if (isInside(search.root, path)) {
    if (statSync(join(search.root, path)).isFile()) yield path;
  } else
    search.warnings.push(`${search.shown}/${path} is a link that leads out, so the ports it publishes are not known`);
}

/** Whether a path exists and, links followed, lies in the root. */
function isInside(root: string, path: string): boolean {
  try {
    return realpathSync(join(root, path)).startsWith(realpathSync(root) + sep);
  } catch {
    // It leads nowhere, round in a circle, or to where nobody may look.
    return false;
  }
}

/** A link to a directory is worth a word only where compose files are behind it. */
export function warnOfLinkedDirectory(search: Search, path: string): void {
  let entries: readonly Dirent[] | undefined = [];
  try {
    if (statSync(join(search.root, path)).isDirectory()) entries = entriesOf(join(search.root, path));
  } catch {
    // It leads nowhere: nobody can start a stack there.
  }
  if (entries?.some(({ name }) => isComposeFile(name)) !== false)
    search.warnings.push(
      `${search.shown}/${path} is a link to a directory with compose files, so the ports they publish are not known`,
    );
}

/**
 * A file that a compose file includes or extends.
 * @param from the compose file, relative to the root
 * @param reference as it is written there, interpolated
 * @returns its path relative to the root; undefined, with a warning, for what lies elsewhere or cannot be found
 */
export function referencedFile(search: Search, from: string, reference: string): string | undefined {
  const path = isAbsolute(reference) ? "" : normalize(join(dirname(from), reference));
  if (path !== "" && !path.startsWith("..") && isInside(search.root, path)) return path;
  search.warnings.push(
    `${search.shown}/${from} uses ${reference === "" ? "another file" : reference}, which is not a file in ${search.shown}, so the ports it publishes are not known`,
  );
  return undefined;
}
