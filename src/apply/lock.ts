import fs from "node:fs";
import { join } from "node:path";
import lockfile from "proper-lockfile";

import { EXIT, isErrno, UserError } from "../lib/errors.ts";
import type { Interrupt } from "../lib/interrupt.ts";
import { quotedForShell } from "../lib/shell.ts";
import { LOCK_NAME } from "../store/journal.ts";

// A lock whose owner has not touched it for this long is taken over: the owner was killed.
const STALE_MS = 5_000;
const UPDATE_MS = 1_000;
const RETRY_MS = 100;
// By so much the clocks of two hosts that share a root may differ.
const CLOCK_SKEW_MS = 60_000;
const GIVE_UP_MS = 300_000;
// A process that refuses its input removes the root it had made, perhaps between our two steps.
const VANISHED_LIMIT = 20;

/** The root's lock, held. */
export interface RootLock {
  /** @throws UserError exit 1 when the lock was lost: this process was suspended for so long that another took over */
  requireHeld: () => void;
  /** Gives the lock back, and removes directories that were made for it and are still empty. */
  release: () => Promise<void>;
}

/** What a command that waits for the lock needs of its surroundings. */
export interface Waiting {
  /** Called once when another process holds the lock. */
  onWait: () => void;
  interrupt: Interrupt;
}

/**
 * Takes the lock of a root, so that no other process writes below it. Directories that have to be made for it are
 * removed again when nothing was written into them, so refused input leaves no file.
 * @throws UserError exit 2 when the root cannot be written, exit 1 when the lock is not given up, exit 130 or 143 when
 *   a signal came meanwhile
 */
export async function takeLock(root: string, shown: string, { onWait, interrupt }: Waiting): Promise<RootLock> {
  const made = new Set<string>();
  const letGo = interrupt.hold();
  let lost = false;
  let release: (() => Promise<void>) | undefined;
  const giveBack = async (): Promise<void> => {
    try {
      if (release !== undefined && !lost) await release();
    } catch {
      // Somebody else has it, or it is gone: there is nothing to give back, and the command's own result counts.
    } finally {
      removeEmpty(made);
      letGo();
    }
  };
  const onLost = (): void => {
    lost = true;
  };
  try {
    release = await acquire(root, made, shown, onWait, onLost, interrupt);
    interrupt.check();
  } catch (error) {
    await giveBack();
    throw error;
  }
  const mine = identity(root);
  // A lock that was seen to be ours cannot become stale, and so be taken over, for a while.
  let safeUntil = 0;
  const requireHeld = (): void => {
    if (!lost && Date.now() < safeUntil) return;
    const { id, touched } = identity(root);
    safeUntil = touched + STALE_MS / 2;
    if (!lost && id === mine.id) return;
    lost = true;
    throw new UserError(`another command took over ${shown} while this one was suspended; nothing more was written`, {
      code: "lock-lost",
      exit: EXIT.failure,
      hint: "run the command again",
    });
  };
  return { requireHeld, release: giveBack };
}

/** What tells one lock from the next: the number of a removed directory may be given to a new one. */
function identity(root: string): { id: string; touched: number } {
  const found = fs.statSync(join(root, LOCK_NAME), { throwIfNoEntry: false });
  if (found === undefined) return { id: "none", touched: 0 };
  return { id: `${String(found.ino)} ${String(found.birthtimeMs)}`, touched: found.mtimeMs };
}

async function acquire(
  root: string,
  made: Set<string>,
  shown: string,
  onWait: () => void,
  onLost: () => void,
  interrupt: Interrupt,
): Promise<() => Promise<void>> {
  const deadline = Date.now() + GIVE_UP_MS;
  let told = false;
  let vanished = 0;
  for (;;) {
    interrupt.check();
    try {
      makeDirectories(missingParents(root), made);
      fs.accessSync(root, fs.constants.W_OK);
      return await lockfile.lock(root, {
        lockfilePath: join(root, LOCK_NAME),
        stale: STALE_MS,
        update: UPDATE_MS,
        realpath: false,
        onCompromised: onLost,
      });
    } catch (error) {
      if (isErrno(error, "ELOCKED", "ENOTDIR", "EEXIST")) requireLock(root, shown);
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
          hint: `wait for it; when no other command is running, delete ${join(shown, LOCK_NAME)}`,
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

/** @throws UserError exit 1 for something in the lock's place that no command holds, so that none would give it back */
function requireLock(root: string, shown: string): void {
  const found = fs.lstatSync(join(root, LOCK_NAME), { throwIfNoEntry: false });
  if (found === undefined) return;
  const path = join(shown, LOCK_NAME);
  const isFuture = found.mtimeMs > Date.now() + CLOCK_SKEW_MS;
  if (found.isDirectory() && !isFuture) return;
  throw new UserError(
    `${path} ${isFuture ? "has a time in the future, so nobody can tell whether it is held" : "is not a lock of this program"}`,
    {
      code: "locked",
      exit: EXIT.failure,
      hint: `when no other command is running, delete it: rm -r ${quotedForShell(path)}`,
    },
  );
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
