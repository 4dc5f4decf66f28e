import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readSync, type Dirent } from "node:fs";

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

// A pipe that nobody writes into would be waited for without end. Windows has no such flags, and no such pipes.
const O_NONBLOCK = (constants.O_NONBLOCK as number | undefined) ?? 0;
const O_NOFOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;

/** The most that is read of a file, in bytes: a hundred times what anybody writes here. */
const MAX_BYTES = 2 * 1024 * 1024;
const PIECE = 64 * 1024;
let piece: Buffer | undefined;

/** What a file holds. */
export interface Content {
  text: string;
  /** Its bytes, where the text does not say the same: it is not UTF-8. */
  bytes: Buffer | undefined;
}

/**
 * Reads a file that somebody else may have made. Never waits, and never reads without end.
 * @param links whether a link in the file's place is followed; those on the way to it are
 * @throws what the system says, such as ELOOP for a link that is not followed; EPIPE for a pipe or a device, EFBIG for
 *   more than `MAX_BYTES`
 */
export function readContent(path: string, links: "followed" | "refused"): Content {
  const file =
    links === "followed"
      ? openSync(path, constants.O_RDONLY | O_NONBLOCK)
      : openSync(path, constants.O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  try {
    const bytes = readAll(file);
    const text = bytes.toString();
    if (!text.includes("\uFFFD") || Buffer.from(text).equals(bytes)) return { text, bytes: undefined };
    return { text, bytes: Buffer.from(bytes) };
  } finally {
    closeSync(file);
  }
}

/**
 * @param waits for one that may be a pipe, and is read to its end
 * @returns the bytes of an open file, good until the next call
 */
function readAll(file: number, waits?: "waits"): Buffer {
  piece ??= Buffer.allocUnsafeSlow(PIECE);
  let into = piece;
  let length = 0;
  for (;;) {
    const count = readSync(file, into, length, into.length - length, null);
    if (count === 0) break;
    length += count;
    if (length < into.length) continue;
    // More than a generated file has: a larger buffer, but not for what has no end.
    if (waits === undefined && !fstatSync(file).isFile()) throw oddKind();
    if (length > MAX_BYTES) throw Object.assign(new Error("too large"), { code: "EFBIG" });
    into = Buffer.concat([into], Math.min(into.length * 8, MAX_BYTES + 1));
  }
  // A pipe without a writer reads as empty, which is no edit of anybody's.
  if (length === 0 && waits === undefined && !fstatSync(file).isFile()) throw oddKind();
  return into.subarray(0, length);
}

function oddKind(): Error {
  return Object.assign(new Error("a pipe or a device"), { code: "EPIPE" });
}

/** The text of a file, a link followed. @throws what `readContent` throws */
export function readText(path: string): string {
  return readContent(path, "followed").text;
}

/**
 * The text of a file; undefined when there is none.
 * @param links whether a link in its place is followed
 * @throws UserError exit 2 when it may not or cannot be read
 */
export function textOf(path: string, shown: string, links: "followed" | "refused" = "followed"): string | undefined {
  try {
    return readContent(path, links).text;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EISDIR")) return undefined;
    if (isErrno(error, "EACCES", "EPERM")) throw unreadable(shown);
    if (!isErrno(error, ...Object.keys(ODD), "EIO", "ENAMETOOLONG", "EAGAIN", "EOPNOTSUPP", "ENODEV")) throw error;
    throw oddFile(shown, error.code ?? "", links, EXIT.usage);
  }
}

const ODD: Record<string, string> = {
  EPIPE: "it is a pipe or a device, not a file",
  ENXIO: "it is a socket or a device, not a file",
  EFBIG: `it is larger than ${String(MAX_BYTES / 1024 / 1024)} MiB`,
  ELOOP: "its links run in a circle",
};

/** Something that is there but cannot be read as a file. @param code what the system says */
export function oddFile(shown: string, code: string, links: "followed" | "refused", exit: ExitCode): UserError {
  const isLink = code === "ELOOP" && links === "refused";
  return new UserError(`${shown} cannot be read: ${isLink ? "it is a link" : (ODD[code] ?? code)}`, {
    code: "unreadable",
    exit,
    hint: isLink ? "replace the link with a file of its own" : "move it away, or look at it with ls -l",
  });
}

/**
 * Reads the text of an answers file. The user named it, so a pipe (`<(…)`, /dev/stdin) is waited for and read to its
 * end, up to the limit. @throws UserError exit 2
 */
export function readInput(path: string, shown: string): string {
  try {
    const file = openSync(path, constants.O_RDONLY);
    try {
      return readAll(file, "waits").toString();
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const reasons: Record<string, string> = {
      ...ODD,
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
