import nodePlop from "node-plop";

import { EXIT, type ExitCode } from "../src/errors.ts";
import { register, type Generator } from "./generator.ts";

/**
 * Runs a Plop generator inside this process: what the npm scripts do when they have to ask.
 * Plop's own command line is left out, because it cannot serve positionals and flags at once.
 * @throws what the prompts or the action threw, exit code included
 */
export async function runGenerator<T>(generator: Generator<T>): Promise<ExitCode> {
  const plop = await nodePlop("", { destBasePath: "", force: false });
  const failure: { error?: unknown } = {};
  let exit: ExitCode = EXIT.ok;
  register(
    plop,
    generator,
    (error) => {
      failure.error ??= error;
    },
    (code) => {
      exit = code;
    },
  );
  const registered = plop.getGenerator(generator.name);
  const answers = (await registered.runPrompts([])) as Record<string, unknown>;
  const { failures } = await registered.runActions(answers);
  if (failure.error !== undefined) throw failure.error;
  const [first] = failures;
  if (first !== undefined) throw new Error(first.error);
  return exit;
}
