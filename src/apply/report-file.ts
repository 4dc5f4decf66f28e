import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

import { asUserError, usageError } from "../lib/errors.ts";

/**
 * Writes a report to where its user wants it: whole, or not at all. It is not part of a framework's directory, so there
 * is no session for it.
 * @param file as it was typed, relative to the current directory
 * @throws UserError exit 2 for a directory, exit 1 when the disk refuses
 */
export function writeReport(cwd: string, file: string, text: string): void {
  const path = resolve(cwd, file);
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) throw usageError(`${file} is a directory`, "give --report a file");
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
