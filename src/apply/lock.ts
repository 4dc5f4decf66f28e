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

/**
 * Runs `work` while no other process writes below the root. Directories that had to be made for it
 * are removed again when nothing was written into them, so refused input leaves no file.
 * @param onWait called once when another process holds the lock
 * @throws UserError exit 1 when the root cannot be written or the lock is not given up
 */
export async function withRootLock<T>(
  root: string,
  shown: string,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const made = missingParents(root);
  let release: (() => Promise<void>) | undefined;
  const lost = { error: undefined as Error | undefined };
  try {
    release = await acquire(root, shown, onWait, lost);
    return await work();
  } finally {
    if (release !== undefined && lost.error === undefined) await release();
    removeEmpty(made);
  }
}

async function acquire(
  root: string,
  shown: string,
  onWait: () => void,
  lost: { error: Error | undefined },
): Promise<() => Promise<void>> {
  const deadline = Date.now() + GIVE_UP_MS;
  let told = false;
  for (;;) {
    try {
      fs.ensureDirSync(root);
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
      if (isErrno(error, "EACCES", "EPERM", "EROFS")) {
        throw new UserError(
          `${shown} cannot be written: ${error.code === "EROFS" ? "the file system is read-only" : "permission denied"}`,
          {
            code: "not-writable",
            exit: EXIT.usage,
            hint: "check its owner and mode (ls -ld), or give another --root",
          },
        );
      }
      // ENOENT: another process removed the empty root between our two steps.
      if (!isErrno(error, "ELOCKED", "ENOENT")) throw error;
      if (Date.now() > deadline) {
        throw new UserError(`another command has been working in ${shown} for five minutes`, {
          code: "locked",
          exit: EXIT.failure,
          hint: `wait for it; when none is running, delete ${join(shown, LOCK_NAME)}`,
        });
      }
      if (!told && isErrno(error, "ELOCKED")) {
        told = true;
        onWait();
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** The directories that do not exist yet, outermost first. */
function missingParents(root: string): string[] {
  const missing: string[] = [];
  for (let dir = root; !fs.existsSync(dir); dir = join(dir, "..")) missing.unshift(dir);
  return missing;
}

function removeEmpty(dirs: readonly string[]): void {
  for (const dir of dirs.toReversed()) {
    try {
      fs.rmdirSync(dir);
    } catch {
      // Not empty: it is wanted, and so are those above it.
      return;
    }
  }
}
