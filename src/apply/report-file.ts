import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

import { asUserError, usageError } from "../lib/errors.ts";

/**
 * Looks whether a report can be written where its user wants it, before the work for it is done.
 * @throws UserError exit 2 for a directory, and for a place in a directory that does not exist
 */
export function requireReportPlace(cwd: string, file: string): void {
  const path = resolve(cwd, file);
  try {
    if (isDirectory(path)) throw usageError(`${file} is a directory`, "give --report a file");
    if (!isDirectory(dirname(path)))
      throw usageError(`--report ${file}: there is no directory ${dirname(file)}`, "make it, or give another place");
  } catch (error) {
    throw asUserError(error, file);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * Writes a report to where its user wants it: whole, or not at all. It is not part of a framework's directory, so there
 * is no session for it.
 * @param file as it was typed, relative to the current directory
 * @throws UserError exit 1 when the disk refuses
 */
export function writeReport(cwd: string, file: string, text: string): void {
  const path = resolve(cwd, file);
  const there = statSync(path, { throwIfNoEntry: false });
  try {
    // A device such as /dev/stdout, and a file that is linked to, keep their place.
    if (there !== undefined && !there.isFile()) {
      writeFileSync(path, text);
      return;
    }
    const target = there === undefined ? path : realpathSync(path);
    const staged = `${target}.${String(process.pid)}.tmp`;
    try {
      writeFileSync(staged, text, { flag: "wx" });
      renameSync(staged, target);
    } finally {
      rmSync(staged, { force: true });
    }
  } catch (error) {
    throw asUserError(error, file);
  }
}
