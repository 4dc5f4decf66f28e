import { EXIT, problemLines, UserError, type ExitCode } from "../lib/errors.ts";
import type { Output } from "../report/output.ts";

/** Prints a user's mistake in words; anything else is a defect of this program and keeps its trace. @returns the exit code */
export function printError(error: unknown, out: Output): ExitCode {
  if (error instanceof UserError) {
    const { code, message, hint, details } = error;
    out.document({ schemaVersion: 1, error: { code, message, hint: hint ?? null, details: [...details] } });
    if (code === "interrupted") out.note(message);
    else out.error(message, hint, problemLines(details));
    return error.exit;
  }
  const message = error instanceof Error ? error.message : String(error);
  const errno = error instanceof Error && "code" in error && "syscall" in error;
  out.document({ schemaVersion: 1, error: { code: "internal", message, hint: null, details: [] } });
  out.error(
    message,
    errno ? undefined : "this is a defect of framework-infra; please report it with the lines below",
    [],
  );
  if (!errno && error instanceof Error) out.trace(error);
  return EXIT.failure;
}
