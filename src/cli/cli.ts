import type { Prebuilt } from "../catalogue/load.ts";
import { EXIT, usageError, type ExitCode } from "../lib/errors.ts";
import { visibleLines } from "../lib/visible.ts";
import { Interrupt } from "../lib/interrupt.ts";
import { nearest } from "../lib/nearest.ts";
import type { Output } from "../report/output.ts";
import { contextFor, outputFor, version, type Program } from "./context.ts";
import { printError } from "./errors.ts";
import { watchSignals } from "./signals.ts";
import { COMMANDS, isCommand, type CommandName, type Row } from "./table.ts";
import { overview, usage } from "./usage.ts";

/**
 * Asks what a command still has to know, by the Plop generator of its name, and runs its use case.
 * @returns its result; undefined when the person did not want it
 */
export type Interview = (name: CommandName, given: unknown, out: Output) => Promise<unknown>;

/**
 * Runs one command line.
 * @param args what follows the program's name
 * @param packageRoot directory with package.json and templates/
 * @returns the exit code; everything was printed
 */
export async function main(
  args: readonly string[],
  packageRoot: string,
  prebuilt: Prebuilt,
  interview: Interview,
): Promise<ExitCode> {
  const out = outputFor(args);
  const interrupt = new Interrupt();
  watchSignals(interrupt, out);
  try {
    return await dispatch(args, { packageRoot, prebuilt, out, interrupt }, interview);
  } catch (error) {
    return printError(error, out);
  }
}

async function dispatch(args: readonly string[], program: Program, interview: Interview): Promise<ExitCode> {
  const [first, ...rest] = args;
  if (first === "--version" || rest.includes("--version")) {
    process.stdout.write(version(program.packageRoot));
    return EXIT.ok;
  }
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    process.stdout.write(overview());
    return first === undefined ? EXIT.usage : EXIT.ok;
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
  const row: Row = COMMANDS[first];
  const loading = row.load();
  const context = await contextFor(first, rest, program);
  if (context.flags.isSet("help")) {
    process.stdout.write(visibleLines(usage(first, context.place.catalogue)));
    return EXIT.ok;
  }
  const { command } = await loading;
  const read = await command.read(context);
  const result = "request" in read ? await command.run(read.request) : await interview(first, read.ask, program.out);
  return await command.present(result, context);
}
