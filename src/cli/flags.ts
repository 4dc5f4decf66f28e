import { parseArgs, type ParseArgsConfig } from "node:util";

import { externalServices, type Catalogue } from "../catalogue/catalogue.ts";
import { Flags } from "../commands/context.ts";
import { usageError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";

/** A flag, described once: what is parsed, and its line in the usage text. */
interface Flag {
  type: "string" | "boolean";
  short?: string;
  multiple?: boolean;
  /** The placeholder for its value in the usage text. */
  value?: string;
  /** Its value may be left out: `--ours` alone means every file. */
  isOptional?: boolean;
  text: string;
}

export type FlagTable = Readonly<Record<string, Flag>>;

/** Flags of every command. */
export const COMMON_FLAGS = {
  root: { type: "string", value: "DIR", text: "where frameworks live (default frameworks)" },
  templates: { type: "string", value: "DIR", text: "use these templates instead of the built-in ones" },
  json: { type: "boolean", text: "print the result as JSON" },
  version: { type: "boolean", text: "print the version of this program" },
  help: { type: "boolean", short: "h", text: "show this text" },
} as const satisfies FlagTable;

/** Flags of commands that write. */
export const WRITING_FLAGS = {
  yes: { type: "boolean", short: "y", text: "ask nothing" },
  "dry-run": { type: "boolean", text: "show the plan, write nothing" },
  diff: {
    type: "boolean",
    text: "show the changes as a unified diff, with secrets redacted; write nothing",
  },
} as const satisfies FlagTable;

/** Two flags for each service that can be used from outside the stack. */
export function externalFlags(catalogue: Catalogue): FlagTable {
  return Object.fromEntries(
    externalServices(catalogue).flatMap(({ id, title }): [string, Flag][] => [
      [id, { type: "string", value: "dedicated|external", text: `run ${title} here, or use one that already runs` }],
      [`${id}-host`, { type: "string", value: "URL", text: "URL of the one that is used from outside" }],
    ]),
  );
}

/**
 * Parses a command's arguments.
 * @throws UserError exit 2, with the nearest flag when one was mistyped
 */
export function parseFlags(args: readonly string[], table: FlagTable): Flags {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { type, short, multiple = false }]) => [
      name,
      { type, multiple, ...(short === undefined ? {} : { short }) },
    ]),
  ) satisfies ParseArgsConfig["options"];
  const end = args.indexOf("--");
  const given = args.map((arg, index) =>
    table[arg.slice(2)]?.isOptional === true && arg.startsWith("--") && (end === -1 || index < end) ? `${arg}=` : arg,
  );
  try {
    const { values, positionals } = parseArgs({ args: given, options, allowPositionals: true, strict: true });
    return new Flags(values, positionals);
  } catch (error) {
    throw notUnderstood(error instanceof Error ? error.message : String(error), table);
  }
}

function notUnderstood(message: string, table: FlagTable): Error {
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
  if (unknown !== undefined) {
    const near = nearest(unknown.replace(/^-+/, ""), Object.keys(table));
    return usageError(`unknown flag ${unknown}`, near === undefined ? "see --help" : `did you mean --${near}?`);
  }
  const missing = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument/.exec(message)?.[1];
  if (missing !== undefined) return usageError(`${missing} needs a value`, "see --help");
  return usageError(message.split(". ", 1)[0] ?? message, "see --help");
}

/** The value of one flag, before it is known which flags there are. */
export function peek(args: readonly string[], name: string): string | undefined {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  const joined = own.findLast((arg) => arg.startsWith(`--${name}=`));
  const at = own.lastIndexOf(`--${name}`);
  return joined?.slice(name.length + 3) ?? (at === -1 ? undefined : own[at + 1]);
}
