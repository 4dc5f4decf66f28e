import { EXIT } from "../lib/errors.ts";
import { interrupted, type Interrupt } from "../lib/interrupt.ts";
import type { Output } from "../report/output.ts";
import { printError } from "./errors.ts";

/**
 * Watches the signals that end a command. Writing is synchronous, so a signal comes before it or after it: while the
 * root is locked, the command itself notices it at its next step and gives the lock back; else the process ends here.
 */
export function watchSignals(interrupt: Interrupt, out: Output): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      interrupt.raise(signal);
      if (interrupt.isHeld) return;
      process.stderr.write("\n");
      process.exit(printError(interrupted(signal, interrupt.done), out));
    });
  }
  // `| head` closes the pipe early: that is no failure. A command that is writing goes on to its end, unheard.
  let isLost = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") {
      if (!interrupt.isHeld) process.exit(EXIT.ok);
      return;
    }
    if (isLost) return;
    isLost = true;
    process.stderr.write(`error: the result could not be written to standard output: ${error.message}\n`);
    if (!interrupt.isHeld) process.exit(EXIT.failure);
    process.once("exit", (code) => {
      if (code === EXIT.ok) process.exitCode = EXIT.failure;
    });
  });
}
