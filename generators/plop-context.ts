import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { NodePlopAPI } from "node-plop";

import { contextFor, printError, type CommandName } from "../src/cli.ts";
import { openPlace, type Context } from "../src/commands/context.ts";
import type { Place } from "../src/pipeline.ts";
import { Output } from "../src/report/output.ts";
import { register, type Generator } from "./generator.ts";

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "..");

/** What makes a generator once it is known what was typed. */
type Make<T> = (context: Context, place: Place) => Promise<Generator<T>>;

/**
 * Registers a generator for Plop's command line: `npx plop add-service` asks; `npx plop new-framework crewai -- --yes`
 * takes our flags behind `--`. What was typed is read only when the generator runs: the others are registered too.
 */
export function registerForPlop<T>(plop: NodePlopAPI, name: CommandName, make: Make<T>): void {
  let made: Generator<T> | undefined;
  const args = ownArguments(process.argv.slice(2));
  let out = new Output({
    json: args.includes("--json"),
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
  register<T>(
    plop,
    {
      name,
      ask: async (ask) => {
        const started = contextFor(name, args, packageRoot);
        ({ out } = started);
        made = await make(started.context, await openPlace(started.context));
        return made.ask(ask);
      },
      act: (answer) => {
        if (made === undefined) throw new Error("a generator's action ran before its prompts");
        return made.act(answer);
      },
    },
    // Plop would end with 1 whatever happened.
    (error) => process.exit(printError(error, out)),
    (code) => {
      process.exitCode = code;
    },
  );
}

/** Positionals behind the generator's name, and everything behind `--`; what stands before belongs to Plop. */
function ownArguments(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  const before = (end === -1 ? args : args.slice(0, end)).filter((arg) => !arg.startsWith("-"));
  return [...before.slice(1), ...(end === -1 ? [] : args.slice(end + 1))];
}
