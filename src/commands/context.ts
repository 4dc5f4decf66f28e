import type { Readable } from "node:stream";

import type { Place } from "../flow/place.ts";
import { isThere } from "../host/files.ts";
import { usageError, type ExitCode } from "../lib/errors.ts";
import type { View } from "../report/changes.ts";
import type { EnvCheck } from "../report/missing-env.ts";
import type { Output } from "../report/output.ts";

type FlagValue = string | boolean | (string | boolean)[] | undefined;

/** What was typed after a command's name. */
export class Flags {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, FlagValue>>;

  constructor(values: Readonly<Record<string, FlagValue>>, positionals: readonly string[]) {
    this.#values = values;
    this.positionals = positionals;
  }

  /** The same flags, with other positional arguments. */
  withPositionals(positionals: readonly string[]): Flags {
    return new Flags(this.#values, positionals);
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  isSet(name: string): boolean {
    return this.#values[name] === true;
  }

  /** Every value of a flag that can be repeated. */
  list(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }
}

/** What a command may know of the process it runs in. */
export interface Context {
  cwd: string;
  env: NodeJS.ProcessEnv;
  readonly stdin: Readable & { isTTY?: boolean | undefined };
  stdout: NodeJS.WriteStream;
  out: Output;
  flags: Flags;
  place: Place;
}

/**
 * A command: flags to a request, the use case of `src/flow/` that it is for, and what is shown of the result. What the
 * flags leave open is asked by the Plop generator of that name.
 */
export interface Command<Request, Given, Result> {
  /** @returns the request, or what is known of it where somebody has to be asked */
  read(context: Context): Promise<{ request: Request } | { ask: Given }>;
  run(request: Request): Promise<Result>;
  /**
   * @param result undefined when the person who was asked did not want it
   * @throws UserError for what is wrong although it was carried out: open conflicts, drift
   */
  present(result: Result | undefined, context: Context): Promise<ExitCode>;
}

/** Whether a person sits at both ends: can be asked, and sees the question. With --json, stdout is for a program. */
export function isInteractive({ stdin, stdout }: Context): boolean {
  return stdin.isTTY === true && stdout.isTTY;
}

/** Whether the command only shows what it would do. */
export function isDryRun({ flags }: Context): boolean {
  return flags.isSet("dry-run") || flags.isSet("diff");
}

/** How results are shown. */
export function viewOf({ out, place, flags }: Context): View {
  return { out, shown: place.shown, diff: flags.isSet("diff") };
}

/**
 * How a check treats a missing `.env`.
 * @throws UserError exit 2 where only a check would look at the flag
 */
export function envCheckOf({ flags }: Context): EnvCheck {
  const [check, requiresEnv] = [flags.isSet("check"), flags.isSet("require-env")];
  if (requiresEnv && !check) throw usageError("--require-env has no effect without --check", "add --check");
  return { check, requiresEnv };
}

/** @throws UserError exit 2 where a check would be green because the root that was given is not there */
export function requireRoot({ flags, place: { root, shown } }: Context): void {
  if (flags.text("root") === undefined || !flags.isSet("check") || isThere(root)) return;
  throw usageError(`${shown} does not exist, so there is nothing to check`, "check what --root says", [], "no-root");
}
