import type { NodePlopAPI } from "node-plop";

import { isInteractive, type Context } from "../src/commands/context.ts";
import { finish, notATerminal } from "../src/commands/new-framework.ts";
import type { Place } from "../src/pipeline.ts";
import type { Request } from "../src/spec/schema.ts";
import { askThrough } from "./ask.ts";
import { Interview } from "./interview.ts";

export interface GeneratorInput {
  context: Context;
  place: Place;
  /** What flags and answers file already said. */
  request: Request;
  /** True when flags or an answers file leave nothing to ask. */
  complete: boolean;
  /** Plop turns every error into a text; this keeps the error itself, with its exit code. */
  onError: (error: unknown) => void;
}

/** Plop hands the answers of the prompts to the action as they are: the request travels inside. */
interface Answers {
  request: Request | undefined;
}

/**
 * Registers the generator `new-framework`. Its prompts make a request, and its one action hands
 * that to the road that the command line takes as well: Plop itself writes no file.
 */
export function registerNewFramework(plop: NodePlopAPI, input: GeneratorInput): void {
  const { context, place, request, complete, onError } = input;
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      onError(error);
      throw error;
    }
  };

  plop.setActionType("apply", async (answers) =>
    guarded(async () => {
      const { request: answered } = answers as unknown as Answers;
      if (answered === undefined) {
        context.out.line("Nothing was written.");
        return "";
      }
      await finish(context, answered, place);
      return "";
    }),
  );
  plop.setGenerator("new-framework", {
    description: "make the infrastructure directory of a framework",
    prompts: async (inquirer): Promise<Record<string, unknown>> =>
      guarded(async () => {
        if (complete) return { request };
        if (!isInteractive(context)) throw notATerminal(request, context);
        const interview = new Interview(place, context.out, askThrough(inquirer));
        return { request: await interview.run(request) };
      }),
    actions: [{ type: "apply" }],
  });
}
