import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Prechecked } from "./catalogue/load.ts";
import type { Command, Context } from "./commands/context.ts";
import {
  ADD_SERVICE_FLAGS,
  COMMON_FLAGS,
  NEW_FRAMEWORK_FLAGS,
  nearest,
  parseFlags,
  type ParsedFlags,
  PORTS_FLAGS,
  REGENERATE_FLAGS,
  REMOVE_FRAMEWORK_FLAGS,
  STATUS_FLAGS,
  swallowedFlags,
  WRITING_FLAGS,
} from "./commands/flags.ts";
import { EXIT, formatProblem, UserError, usageError, type ExitCode } from "./errors.ts";
import type { Precompiled } from "./render/engine.ts";
import { Output } from "./report/output.ts";

/** What the build made in advance; empty when the program runs from its sources. */
export interface Prebuilt {
  precompiled: Precompiled;
  prechecked: Prechecked;
}

const COMMANDS = {
  "new-framework": {
    summary: "make the infrastructure directory of a framework",
    flags: { ...COMMON_FLAGS, ...WRITING_FLAGS, ...NEW_FRAMEWORK_FLAGS },
    load: (): Promise<Command> => import("./commands/new-framework.ts"),
  },
  "add-service": {
    summary: "add a service to a framework; your edits stay",
    flags: { ...COMMON_FLAGS, ...WRITING_FLAGS, ...ADD_SERVICE_FLAGS },
    load: (): Promise<Command> => import("./commands/add-service.ts"),
  },
  "remove-service": {
    summary: "take a service out again; volumes are never deleted",
    flags: { ...COMMON_FLAGS, ...WRITING_FLAGS },
    load: (): Promise<Command> => import("./commands/remove-service.ts"),
  },
  regenerate: {
    summary: "bring directories to what spec and templates say now; merges",
    flags: { ...COMMON_FLAGS, ...WRITING_FLAGS, ...REGENERATE_FLAGS },
    load: (): Promise<Command> => import("./commands/regenerate.ts"),
  },
  "remove-framework": {
    summary: "delete what was generated for a framework; never a volume",
    flags: { ...COMMON_FLAGS, ...WRITING_FLAGS, ...REMOVE_FRAMEWORK_FLAGS },
    load: (): Promise<Command> => import("./commands/remove-framework.ts"),
  },
  ports: {
    summary: "who holds which host port; --check, --fix",
    flags: { ...COMMON_FLAGS, ...WRITING_FLAGS, ...PORTS_FLAGS },
    load: (): Promise<Command> => import("./commands/ports.ts"),
  },
  status: {
    summary: "per file: clean, edited, missing, conflicted, outdated; --check",
    flags: { ...COMMON_FLAGS, ...STATUS_FLAGS },
    load: (): Promise<Command> => import("./commands/status.ts"),
  },
} as const;

export type CommandName = keyof typeof COMMANDS;

/**
 * Runs one command line.
 * @param args what stands behind the program's name
 * @param packageRoot directory with package.json and templates/
 * @returns the exit code; everything was printed
 */
export async function main(args: readonly string[], packageRoot: string, prebuilt: Prebuilt): Promise<ExitCode> {
  const { out, commit } = open(args);
  try {
    return await dispatch(args, packageRoot, prebuilt, out, commit);
  } catch (error) {
    return printError(error, out);
  }
}

/** Where this process prints, and how far its change is; signals are watched from here on. */
function open(args: readonly string[]): { out: Output; commit: { done: boolean } } {
  const out = new Output({
    json: args.includes("--json"),
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
  const commit = { done: false };
  watchSignals(out, commit);
  return { out, commit };
}

async function dispatch(
  args: readonly string[],
  packageRoot: string,
  prebuilt: Prebuilt,
  out: Output,
  commit: { done: boolean },
): Promise<ExitCode> {
  const [first, ...rest] = args;
  if (first === "--version" || (first === undefined ? false : rest.includes("--version"))) {
    process.stdout.write(`${version(packageRoot)}\n`);
    return EXIT.ok;
  }
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    process.stdout.write(overview());
    if (first === undefined) return EXIT.usage;
    return EXIT.ok;
  }
  if (!isCommand(first)) {
    const near = nearest(first, Object.keys(COMMANDS));
    throw usageError(
      `"${first.slice(0, 60)}" is not a command`,
      near === undefined ? "see framework-infra --help" : `did you mean ${near}?`,
      [],
      "unknown-command",
    );
  }
  const command = COMMANDS[first];
  const swallowed = swallowedFlags(process.env, rest, command.flags);
  if (swallowed.length > 0) {
    throw usageError(
      `npm kept ${swallowed.map((name) => `--${name}`).join(", ")} for itself and did not pass it on`,
      `write -- before the flags: npm run ${first} -- ${swallowed.map((name) => `--${name} ...`).join(" ")}`,
      [],
      "npm-swallowed",
    );
  }
  const flags = parseFlags(rest, command.flags);
  const { help, run } = await command.load();
  if (flags.values["help"] === true) {
    process.stdout.write(help);
    return EXIT.ok;
  }
  return await run(makeContext(flags, packageRoot, prebuilt, out, commit));
}

function makeContext(
  flags: ParsedFlags,
  packageRoot: string,
  prebuilt: Prebuilt,
  out: Output,
  commit: { done: boolean },
): Context {
  return {
    cwd: process.cwd(),
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    out,
    flags,
    templates: join(packageRoot, "templates"),
    ...prebuilt,
    commit,
  };
}

/** The context of a command when another program (Plop) started it. */
export function contextFor(
  name: CommandName,
  args: readonly string[],
  packageRoot: string,
): { context: Context; out: Output } {
  const { out, commit } = open(args);
  try {
    const flags = parseFlags(args, COMMANDS[name].flags);
    return {
      context: makeContext(flags, packageRoot, { precompiled: new Map(), prechecked: new Map() }, out, commit),
      out,
    };
  } catch (error) {
    process.exit(printError(error, out));
  }
}

/** What a command does, in one line. */
export function summaryOf(name: CommandName): string {
  return COMMANDS[name].summary;
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

function overview(): string {
  const names = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(18)}${summary}`);
  return `Usage: npm run COMMAND -- [flags]
       framework-infra COMMAND [flags]

One isolated, hardened Docker Compose stack for each AI-agent framework on this host.

${names.join("\n")}

Each command explains its flags, with examples: npm run ports -- --help

Exit codes: 0 done, 1 failure, 2 bad input or usage, 3 port clash, 4 conflicts open,
5 drift found, 6 findings, 130 interrupted, 143 terminated.
`;
}

function version(packageRoot: string): string {
  const value: unknown = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  return typeof value === "object" && value !== null && "version" in value ? String(value.version) : "unknown";
}

/** Prints a user's mistake in words; anything else is a defect of this program and keeps its trace. */
export function printError(error: unknown, out: Output): ExitCode {
  if (error instanceof UserError) {
    out.document({
      schemaVersion: 1,
      error: { code: error.code, message: error.message, hint: error.hint ?? null, details: [...error.details] },
    });
    out.error(error.message, error.hint, error.details.length > 1 ? error.details.map(formatProblem) : []);
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
  if (!errno && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  return EXIT.failure;
}

/**
 * Writing is synchronous, so a signal comes before it or after it. Before: nothing has changed.
 * After: the command ends as usual, because its result is there.
 */
function watchSignals(out: Output, commit: { done: boolean }): void {
  const handle = (code: ExitCode) => (): void => {
    if (commit.done) return;
    process.stderr.write("\n");
    out.note(code === EXIT.interrupted ? "interrupted; nothing was changed" : "terminated; nothing was changed");
    process.exit(code);
  };
  process.on("SIGINT", handle(EXIT.interrupted));
  process.on("SIGTERM", handle(EXIT.terminated));
  // `| head` closes the pipe early: that is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.ok);
  });
}
