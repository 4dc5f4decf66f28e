import { readdirSync, readFileSync, type Dirent } from "node:fs";

import { EXIT, isErrno, UserError, type ExitCode } from "../errors.ts";

/** Sorted entries of a directory; none when it does not exist, undefined when it may not be read. */
export function entriesOf(dir: string): Dirent[] | undefined {
  try {
    return readdirSync(dir, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return [];
    if (isErrno(error, "EACCES", "EPERM")) return undefined;
    throw error;
  }
}

/** The text of a file; undefined when there is none. @throws UserError exit 2 when it may not be read */
export function textOf(path: string, shown: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EISDIR")) return undefined;
    if (isErrno(error, "EACCES", "EPERM")) throw unreadable(shown);
    if (!isErrno(error, "ELOOP", "EIO", "ENAMETOOLONG")) throw error;
    throw oddFile(shown, error.code ?? "", EXIT.usage);
  }
}

export function unreadable(shown: string): UserError {
  return new UserError(`${shown} cannot be read: permission denied`, {
    code: "unreadable",
    exit: EXIT.usage,
    hint: "check its owner and mode (ls -ld), or run this as the user who owns it",
  });
}

/** A file that is there and is none. @param code what the system says */
export function oddFile(shown: string, code: string, exit: ExitCode): UserError {
  return new UserError(`${shown} cannot be read: ${code}`, {
    code: "unreadable",
    exit,
    hint: "look at it with ls -l: is it a link that runs in a circle?",
  });
}
