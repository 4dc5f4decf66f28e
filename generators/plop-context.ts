import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { newFrameworkContext, printError } from "../src/cli.ts";
import { openPlace } from "../src/commands/context.ts";
import { draftFromFlags } from "../src/commands/draft.ts";
import { asksNothing } from "../src/commands/new-framework.ts";
import type { GeneratorInput } from "./new-framework.ts";

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * What the generator needs when Plop's command line started it:
 * `npx plop new-framework` asks; `npx plop new-framework crewai -- --yes` takes our flags behind `--`.
 */
export async function inputFromPlop(): Promise<GeneratorInput> {
  const { context, out } = newFrameworkContext(ownArguments(process.argv.slice(2)), packageRoot);
  const onError = (error: unknown): void => {
    // Plop would end with 1 whatever happened.
    process.exit(printError(error, out));
  };
  try {
    const request = await draftFromFlags(context);
    return { context, place: await openPlace(context), request, complete: asksNothing(context), onError };
  } catch (error) {
    onError(error);
    throw error;
  }
}

/** Positionals behind the generator's name, and everything behind `--`; what stands before belongs to Plop. */
function ownArguments(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  const before = (end === -1 ? args : args.slice(0, end)).filter((arg) => !arg.startsWith("-"));
  return [...before.slice(1), ...(end === -1 ? [] : args.slice(end + 1))];
}
