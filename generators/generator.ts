import type { NodePlopAPI } from "node-plop";

import { summaryOf, type CommandName } from "../src/cli.ts";
import type { ExitCode } from "../src/errors.ts";
import { askThrough } from "./ask.ts";
import type { Ask } from "./question.ts";

/** A Plop generator: its prompts make an answer, and its one action hands that to the road every command takes. */
export interface Generator<T> {
  name: CommandName;
  ask: (ask: Ask) => Promise<T>;
  act: (answer: T) => Promise<ExitCode>;
}

/** Plop hands the answers of the prompts to the action as they are: the answer travels inside. */
interface Answers<T> {
  answer: T;
}

/**
 * Registers a generator. Plop itself writes no file, and turns every error into a text: `onError` keeps the
 * error itself, with its exit code.
 */
export function register<T>(
  plop: NodePlopAPI,
  { name, ask, act }: Generator<T>,
  onError: (error: unknown) => void,
  onExit: (code: ExitCode) => void,
): void {
  const guarded = async <R>(work: () => Promise<R>): Promise<R> => {
    try {
      return await work();
    } catch (error) {
      onError(error);
      throw error;
    }
  };
  plop.setActionType(`apply ${name}`, async (answers) =>
    guarded(async () => {
      onExit(await act((answers as unknown as Answers<T>).answer));
      return "";
    }),
  );
  plop.setGenerator(name, {
    description: summaryOf(name),
    prompts: async (inquirer): Promise<Record<string, unknown>> =>
      guarded(async () => ({ answer: await ask(askThrough(inquirer)) })),
    actions: [{ type: `apply ${name}` }],
  });
}
