import type { NodePlopAPI } from "node-plop";

import { UserError } from "../src/lib/errors.ts";
import type { Output } from "../src/report/output.ts";
import type { Ask } from "./question.ts";

/** A Plop generator: questions that make a request out of what is given, and the use case that the request is for. */
export interface Generator<Given, Request, Result> {
  /**
   * @param out where something is shown between two questions
   * @returns undefined when the person does not want it
   */
  ask(ask: Ask, given: Given, out: Output): Promise<Request | undefined>;
  /**
   * Asks again for what stands in the way of a request that was refused when it was to be written.
   * @returns undefined when the person does not want it any more
   * @throws the error, where asking again would not help
   */
  again?(ask: Ask, request: Request, error: UserError, out: Output): Promise<Request | undefined>;
  run(request: Request): Promise<Result>;
}

/**
 * Runs the use case for what somebody answered. What changed between the last question and the write does not cost
 * them their answers: they are asked for that alone.
 * @returns undefined when the person does not want it
 */
export async function runAsked<Given, Request, Result>(
  generator: Pick<Generator<Given, Request, Result>, "again" | "run">,
  request: Request | undefined,
  ask: Ask,
  out: Output,
): Promise<Result | undefined> {
  let wanted = request;
  while (wanted !== undefined) {
    try {
      return await generator.run(wanted);
    } catch (error) {
      if (generator.again === undefined || !(error instanceof UserError)) throw error;
      wanted = await generator.again(ask, wanted, error, out);
    }
  }
  return undefined;
}

/** What the starter of a generator knows and cares about no more than that it fits. */
export type AnyGenerator = Generator<unknown, unknown, unknown>;

/** What is registered under a name: where its request comes from, and what becomes of it. */
export interface Registration {
  name: string;
  description: string;
  /** @param inquirer what Plop hands to prompts */
  prompts: (inquirer: Inquirer) => Promise<unknown>;
  action: (request: unknown) => Promise<void>;
  /** Plop turns every error into a text; here is the error itself, with its exit code. */
  onError: (error: unknown) => void;
}

/** What is used of inquirer: its prompt, and the line reader inside. */
export interface Inquirer {
  prompt: (questions: object[]) => Promise<unknown> & { ui: object };
}

/** Plop hands the answers of the prompts to the action as they are: the request travels inside. */
interface Answers {
  request: unknown;
}

/** Registers a generator whose one action hands the request to its use case: Plop itself writes no file. */
export function register(plop: NodePlopAPI, { name, description, prompts, action, onError }: Registration): void {
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
      await action((answers as unknown as Answers).request);
      return "";
    }),
  );
  plop.setGenerator(name, {
    description,
    prompts: async (inquirer): Promise<Record<string, unknown>> =>
      guarded(async () => ({ request: await prompts(inquirer) })),
    actions: [{ type: `apply ${name}` }],
  });
}
