import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { asUserError, isErrno, usageError } from "../lib/errors.ts";

/**
 * Writes a file of the user's own repository that is not there yet: whole, or not at all.
 * @param file relative to the repository
 * @returns whether it was written; not if it is there with this text
 * @throws UserError exit 2 for another file in its place, exit 1 when the disk refuses
 */
export function writeNew(cwd: string, file: string, text: string): boolean {
  const path = resolve(cwd, file);
  const staged = `${path}.${String(process.pid)}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(staged, text, { flag: "wx" });
    // Unlike a rename, a link never takes the place of a file.
    linkSync(staged, path);
    return true;
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw asUserError(error, file);
    if (readFileSync(path, "utf8") === text) return false;
    throw usageError(
      `${file} is there already, with other text`,
      "delete it or give it another name, then run this again",
    );
  } finally {
    rmSync(staged, { force: true });
  }
}
