import { EXIT, UserError } from "./errors.ts";

type Signal = "SIGINT" | "SIGTERM";

/**
 * A signal that asks this process to end. While something is held that must be given back (the root's lock), it takes
 * effect at the next `check`; otherwise whoever watches the signals ends the process at once.
 */
export class Interrupt {
  #raised: Signal | undefined;
  #held = 0;
  /** What is said of a command that ends at once. */
  done = "nothing was changed";

  raise(signal: Signal): void {
    this.#raised ??= signal;
  }

  get isHeld(): boolean {
    return this.#held > 0;
  }

  /** @returns gives it back */
  hold(): () => void {
    this.#held += 1;
    return () => {
      this.#held -= 1;
    };
  }

  /**
   * Lets timers and signals run, which a long run must do now and then: its lock is kept by a timer.
   * @param done what was changed until then, should a signal have come
   * @throws what `check` throws
   */
  async breathe(done?: () => string): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    this.check(done?.());
  }

  /** @throws UserError exit 130 or 143 once a signal has come. @param done what was changed until then */
  check(done = this.done): void {
    if (this.#raised !== undefined) throw interrupted(this.#raised, done);
  }
}

/** What a command that a signal ended says. */
export function interrupted(signal: Signal, done: string): UserError {
  const terminated = signal === "SIGTERM";
  return new UserError(`${terminated ? "terminated" : "interrupted"}; ${done}`, {
    code: "interrupted",
    exit: terminated ? EXIT.terminated : EXIT.interrupted,
    hint: "run the command again",
  });
}
