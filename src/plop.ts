import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { NodePlopAPI } from "node-plop";

import { GENERATORS } from "../generators/all.ts";
import { askThrough } from "../generators/ask.ts";
import { register, runAsked } from "../generators/generator.ts";
import { NOT_PREBUILT } from "./catalogue/load.ts";
import { contextFor, outputFor, version, type Program } from "./cli/context.ts";
import { printError } from "./cli/errors.ts";
import { watchSignals } from "./cli/signals.ts";
import { COMMANDS, isCommand, type CommandName } from "./cli/table.ts";
import type { Command, Context } from "./commands/context.ts";
import { usage } from "./cli/usage.ts";
import { Interrupt } from "./lib/interrupt.ts";
import { visibleLines } from "./lib/visible.ts";

const PACKAGE_ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * Entry of Plop's own command line: `npx plop add-service` asks; `npx plop new-framework crewai -- --yes` takes our
 * flags behind `--`. Here the generators meet the commands, as in `main.ts`.
 */
export function registerForPlop(plop: NodePlopAPI): void {
  for (const name of Object.keys(GENERATORS)) if (isCommand(name)) registerOne(plop, name);
}

type AnyCommand = Command<unknown, unknown, unknown>;

/** What was typed is read only when the generator runs: the others are registered too. */
function registerOne(plop: NodePlopAPI, name: CommandName): void {
  const args = ownArguments(process.argv.slice(2));
  const out = outputFor(args);
  let started: { context: Context; command: AnyCommand; run: (request: unknown) => Promise<unknown> } | undefined;
  register(plop, {
    name,
    description: COMMANDS[name].summary,
    prompts: async (inquirer) => {
      const { command } = await COMMANDS[name].load();
      const context = await contextFor(name, args, programFor(out));
      const said = informed(name, args, context);
      if (said !== undefined) {
        process.stdout.write(visibleLines(said));
        return undefined;
      }
      const any = command as AnyCommand;
      started = { context, command: any, run: async (request) => any.run(request) };
      const read = await started.command.read(context);
      if ("request" in read) return read.request;
      const { generator } = (await GENERATORS[name]?.()) ?? {};
      const ask = askThrough(inquirer);
      if (generator !== undefined) started.run = async (request) => runAsked(generator, request, ask, out);
      return generator?.ask(ask, read.ask, out);
    },
    action: async (request) => {
      // Only help or the version was asked for.
      if (started === undefined) return;
      const { context, command, run } = started;
      const result = request === undefined ? undefined : await run(request);
      process.exitCode = await command.present(result, context);
    },
    // Plop would end with 1 whatever happened.
    onError: (error) => process.exit(printError(error, out)),
  });
}

/** What `--help` and `--version` print in place of doing anything. */
function informed(name: CommandName, args: readonly string[], { flags, place }: Context): string | undefined {
  if (args.includes("--version")) return version(PACKAGE_ROOT);
  return flags.isSet("help") ? usage(name, place.catalogue) : undefined;
}

function programFor(out: Program["out"]): Program {
  const interrupt = new Interrupt();
  watchSignals(interrupt, out);
  return { packageRoot: PACKAGE_ROOT, prebuilt: NOT_PREBUILT, out, interrupt };
}

/** Positionals behind the generator's name, and everything behind `--`; what stands before belongs to Plop. */
function ownArguments(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  const before = (end === -1 ? args : args.slice(0, end)).filter((arg) => !arg.startsWith("-"));
  return [...before.slice(1), ...(end === -1 ? [] : args.slice(end + 1))];
}
