import nodePlop from "node-plop";

import type { Output } from "../src/report/output.ts";
import { GENERATORS } from "./all.ts";
import { askThrough } from "./ask.ts";
import { register, runAsked } from "./generator.ts";
import type { Ask } from "./question.ts";

/**
 * Runs a Plop generator inside this process: what the npm scripts do when they have to ask.
 * Plop's own command line is left out, because it cannot serve positionals and flags at once.
 * @param given what is known of the request
 * @returns the result of the use case; undefined when the person did not want it
 * @throws what the prompts or the action threw, exit code included
 */
export async function interview(name: string, given: unknown, out: Output): Promise<unknown> {
  const [plop, loaded] = await Promise.all([nodePlop("", { destBasePath: "", force: false }), GENERATORS[name]?.()]);
  if (loaded === undefined) throw new Error(`there is no generator ${name}`);
  const { generator } = loaded;
  const failure: { error?: unknown } = {};
  let ask: Ask | undefined;
  let result: unknown;
  register(plop, {
    name,
    description: name,
    prompts: async (inquirer) => {
      ask = askThrough(inquirer);
      return generator.ask(ask, given, out);
    },
    action: async (request) => {
      if (ask !== undefined) result = await runAsked(generator, request, ask, out);
    },
    onError: (error) => {
      failure.error ??= error;
    },
  });
  const registered = plop.getGenerator(name);
  const answers = (await registered.runPrompts([])) as Record<string, unknown>;
  const { failures } = await registered.runActions(answers);
  if (failure.error !== undefined) throw failure.error;
  const [first] = failures;
  if (first !== undefined) throw new Error(first.error);
  return result;
}
