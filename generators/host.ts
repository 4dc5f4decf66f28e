import nodePlop from "node-plop";

import { registerNewFramework, type GeneratorInput } from "./new-framework.ts";

/**
 * Runs the Plop generator inside this process: what `npm run new-framework` does when it has to
 * ask. Plop's own command line is left out, because it cannot serve positionals and flags at once.
 * @throws what the prompts or the action threw, exit code included
 */
export async function runGenerator(input: Omit<GeneratorInput, "onError">): Promise<void> {
  const plop = await nodePlop("", { destBasePath: input.place.root, force: false });
  const failure: { error?: unknown } = {};
  registerNewFramework(plop, {
    ...input,
    onError: (error) => {
      failure.error ??= error;
    },
  });
  const generator = plop.getGenerator("new-framework");
  const answers = (await generator.runPrompts([])) as Record<string, unknown>;
  const { failures } = await generator.runActions(answers);
  if (failure.error !== undefined) throw failure.error;
  const [first] = failures;
  if (first !== undefined) throw new Error(first.error);
}
