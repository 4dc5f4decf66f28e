import fs from "fs-extra";
import { join } from "node:path";
import lockfile from "proper-lockfile";

import { EXIT, isErrno, UserError } from "../errors.ts";

const LOCK_NAME = ".framework-infra.lock";

// A lock whose owner has not touched it for this long is taken over: the owner was killed.
const STALE_MS = 5_000;
const UPDATE_MS = 1_000;
const RETRY_MS = 100;
const GIVE_UP_MS = 300_000;
// A process that refuses its input removes the root it had made, perhaps between our two steps.
const VANISHED_LIMIT = 20;

/**
 * Runs `work` while no other process writes below the root. Directories that had to be made for it
 * are removed again when nothing was written into them, so refused input leaves no file.
 * @param onWait called once when another process holds the lock
 * @param work gets a check to call right before it writes: it throws when the lock was lost meanwhile
 *   (this process was suspended for so long that another one took over)
 * @throws UserError exit 2 when the root cannot be written, exit 1 when the lock is not given up or was lost
 */
export async function withRootLock<T>(
  root: string,
  shown: string,
  onWait: () => void,
  work: (requireHeld: () => void) => Promise<T>,
): Promise<T> {
  const made = new Set<string>();
  const lost = { error: undefined as Error | undefined };
  let release: (() => Promise<void>) | undefined;
  try {
    release = await acquire(root, made, shown, onWait, lost);
    const mine = identity(root);
    return await work(() => {
      if (lost.error === undefined && identity(root) === mine) return;
      lost.error ??= new Error("taken over");
      throw new UserError(`another command took over ${shown} while this one was suspended; nothing was written`, {
        code: "lock-lost",
        exit: EXIT.failure,
        hint: "run the command again",
      });
    });
  } finally {
    if (release !== undefined && lost.error === undefined) await release();
    removeEmpty(made);
  }
}

/** Whether another process may be writing below the root. */
export function isLocked(root: string): boolean {
  return fs.existsSync(join(root, LOCK_NAME));
}

/** What tells one lock from the next: the number of a removed directory may be given to a new one. */
function identity(root: string): string {
  const found = fs.statSync(join(root, LOCK_NAME), { throwIfNoEntry: false });
  return found === undefined ? "none" : `${String(found.ino)} ${String(found.birthtimeMs)}`;
}

async function acquire(
  root: string,
  made: Set<string>,
  shown: string,
  onWait: () => void,
  lost: { error: Error | undefined },
): Promise<() => Promise<void>> {
  const deadline = Date.now() + GIVE_UP_MS;
  let told = false;
  let vanished = 0;
  for (;;) {
    try {
      makeDirectories(missingParents(root), made);
      fs.accessSync(root, fs.constants.W_OK);
      return await lockfile.lock(root, {
        lockfilePath: join(root, LOCK_NAME),
        stale: STALE_MS,
        update: UPDATE_MS,
        realpath: false,
        onCompromised: (error) => {
          lost.error = error;
        },
      });
    } catch (error) {
      if (isErrno(error, "ENOENT") && vanished < VANISHED_LIMIT) {
        vanished += 1;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS / 10));
        continue;
      }
      if (!isErrno(error, "ELOCKED")) throw notUsable(error, shown);
      if (Date.now() > deadline) {
        throw new UserError(`another command has been working in ${shown} for five minutes`, {
          code: "locked",
          exit: EXIT.failure,
          hint: `wait for it; when none is running, delete ${join(shown, LOCK_NAME)}`,
        });
      }
      if (!told) {
        told = true;
        onWait();
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

function notUsable(error: unknown, shown: string): unknown {
  if (!isErrno(error, "EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR")) return error;
  const reasons: Record<string, string> = {
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the file system is read-only",
  };
  return new UserError(`${shown} cannot be written: ${reasons[error.code ?? ""] ?? "it cannot be made there"}`, {
    code: "not-writable",
    exit: EXIT.usage,
    hint: "check its owner and mode (ls -ld), or give another --root",
  });
}

/** One by one: a recursive mkdir of Node never returns where the kernel refuses with ENOENT (below /proc). */
function makeDirectories(dirs: readonly string[], made: Set<string>): void {
  for (const dir of dirs) {
    made.add(dir);
    try {
      fs.mkdirSync(dir);
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
  }
}

/** The directories that do not exist yet, outermost first. */
function missingParents(root: string): string[] {
  const missing: string[] = [];
  for (let dir = root; !fs.existsSync(dir); dir = join(dir, "..")) missing.unshift(dir);
  return missing;
}

function removeEmpty(dirs: Iterable<string>): void {
  // Innermost first.
  for (const dir of [...dirs].toSorted((a, b) => b.length - a.length)) {
    try {
      fs.rmdirSync(dir);
    } catch {
      // Not empty: it is wanted, and so are those above it.
      return;
    }
  }
}
