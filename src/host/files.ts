import { constants, existsSync, readdirSync, readFileSync, statSync, type Dirent } from "node:fs";

import { EXIT, isErrno, unreadable, usageError, UserError, type ExitCode } from "../lib/errors.ts";

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

// A pipe that nobody writes into would be waited for without end. Windows has no such flag, and no such pipes. Node
// takes the flags of open(2) as a number here, as it does for openSync; its types know of strings alone.
const AT_ONCE = (constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0)) as unknown as string;

/** The text of a file. @throws what reading a file throws; EPIPE for a named pipe */
export function readText(path: string): string {
  const text = readFileSync(path, { encoding: "utf8", flag: AT_ONCE });
  // A pipe without a writer reads as empty, which is no edit of anybody's.
  if (text === "" && statSync(path).isFIFO()) throw Object.assign(new Error("a named pipe"), { code: "EPIPE" });
  return text;
}

/** The text of a file; undefined when there is none. @throws UserError exit 2 when it may not be read */
export function textOf(path: string, shown: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EISDIR")) return undefined;
    if (isErrno(error, "EACCES", "EPERM")) throw unreadable(shown);
    if (!isErrno(error, "ELOOP", "EIO", "ENAMETOOLONG", "EPIPE", "EAGAIN", "ENXIO", "EOPNOTSUPP", "ENODEV"))
      throw error;
    throw oddFile(shown, error.code ?? "", EXIT.usage);
  }
}

/** Something that is there but is not a file. @param code what the system says */
export function oddFile(shown: string, code: string, exit: ExitCode): UserError {
  return new UserError(`${shown} cannot be read: ${code}`, {
    code: "unreadable",
    exit,
    hint: "look at it with ls -l: is it a file, and not a link to itself?",
  });
}

/** Reads the text of an answers file. @throws UserError exit 2 */
export function readInput(path: string, shown: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reasons: Record<string, string> = {
      ENOENT: "there is no such file",
      EISDIR: "it is a directory",
      EACCES: "permission denied",
    };
    const code = isErrno(error, ...Object.keys(reasons)) ? (error.code ?? "") : "";
    throw usageError(
      `${shown} cannot be read: ${reasons[code] ?? (error instanceof Error ? error.message : "unknown reason")}`,
      "give --answers a YAML or JSON file, or - for standard input",
    );
  }
}

/** Whether something is there, whatever it is. */
export function isThere(path: string): boolean {
  return existsSync(path);
}
