/**
 * Exit codes of every command (docs/architecture.md, "Exit codes"). One place, so
 * that a command never invents a number.
 */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  portClash: 3,
  conflicts: 4,
  drift: 5,
  findings: 6,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One thing that is wrong, with its place as far as it is known (`line` counts from 1). */
export interface Problem {
  message: string;
  file?: string | undefined;
  line?: number | undefined;
  key?: string | undefined;
}

export interface UserErrorOptions {
  code: string;
  exit: ExitCode;
  /** What to do about it. */
  hint: string;
  details?: readonly Problem[] | undefined;
}

/**
 * A mistake or a circumstance that the person at the terminal can fix. It is
 * printed without a stack trace; anything else that is thrown is a defect of ours.
 */
export class UserError extends Error {
  readonly code: string;
  readonly exit: ExitCode;
  readonly hint: string;
  readonly details: readonly Problem[];

  constructor(message: string, options: UserErrorOptions) {
    super(message);
    this.name = "UserError";
    this.code = options.code;
    this.exit = options.exit;
    this.hint = options.hint;
    this.details = options.details ?? [];
  }
}

/** Bad input or usage, exit 2. */
export function usageError(message: string, hint: string, details?: readonly Problem[], code = "usage"): UserError {
  return new UserError(message, { code, exit: EXIT.usage, hint, details });
}

/** Something that the user may not read, exit 2. @param shown its path as the user knows it */
export function unreadable(shown: string): UserError {
  return new UserError(`${shown} cannot be read: permission denied`, {
    code: "unreadable",
    exit: EXIT.usage,
    hint: "check its owner and mode (ls -ld), or run this as the user who owns it",
  });
}

/** One `UserError` for a list of problems; the first one is the headline when it is alone. */
export function problemsError(what: string, problems: readonly Problem[], hint: string): UserError {
  const [only] = problems;
  if (problems.length === 1 && only !== undefined) {
    return usageError(formatProblem(only), hint, problems, "invalid");
  }
  return usageError(`${what}: ${String(problems.length)} problems`, hint, problems, "invalid");
}

// More than a person reads; a file of another kind could fill the terminal with them.
const MAX_SHOWN = 20;

/** The problems of an error as lines to print: none for a single one, which is the message. */
export function problemLines(problems: readonly Problem[]): string[] {
  if (problems.length < 2) return [];
  const more = problems.length - MAX_SHOWN;
  const lines = problems.slice(0, MAX_SHOWN).map(formatProblem);
  return more > 0 ? [...lines, `and ${String(more)} more`] : lines;
}

/** `file:line: key: message`, leaving out what is not known. */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line === undefined ? undefined : String(problem.line)]
    .filter((part) => part !== undefined)
    .join(":");
  return [place, problem.key, problem.message].filter((part) => part !== undefined && part !== "").join(": ");
}

export function isErrno(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/**
 * What a disk or a permission says, as a mistake that the user can fix; a defect of ours is thrown again.
 * @param shown the directory that it is about
 */
export function asUserError(error: unknown, shown: string): UserError {
  if (error instanceof UserError) return error;
  if (!(error instanceof Error) || !("syscall" in error)) throw error;
  return new UserError(`${shown}: ${error.message}`, {
    code: "io",
    exit: EXIT.failure,
    hint: "fix the cause (owner, mode, space), then run the command again",
  });
}
