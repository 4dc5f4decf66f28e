import { commit } from "./commit.ts";
import { Journal } from "./journal.ts";
import type { RootLock } from "./lock.ts";
import { recover, type Recovered } from "./recover.ts";
import type { Transaction } from "./transaction.ts";

/** What a session writes with: the root's lock, and one journal for all of its changes. */
export class Writer {
  readonly #root: string;
  readonly #lock: RootLock;
  readonly #journal: Journal;

  /** @param lock of this root, held */
  constructor(root: string, lock: RootLock) {
    this.#root = root;
    this.#lock = lock;
    this.#journal = new Journal(root, lock.requireHeld);
  }

  /** Finishes or undoes what a killed command has left. @throws what `recover` throws */
  recover(): Recovered | undefined {
    return recover(this.#root, this.#lock.requireHeld);
  }

  /** Whether an earlier change is neither carried out nor undone: until it is, nothing else may be written. */
  get isStuck(): boolean {
    return this.#journal.isStuck;
  }

  /** @throws what `commit` throws */
  commit(transaction: Transaction): void {
    commit(this.#root, transaction, this.#journal, this.#lock.requireHeld);
  }

  /** Removes the journal, unless it holds a change that has still to be finished, and gives the lock back. */
  async close(): Promise<void> {
    try {
      if (this.#journal.isIdle) this.#journal.remove();
    } catch {
      // Somebody else has the root by now, or the disk refuses: the next command cleans up.
    } finally {
      await this.#lock.release();
    }
  }
}
