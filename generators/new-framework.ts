import { isInteractive, type Context } from "../src/commands/context.ts";
import { finish, notATerminal } from "../src/commands/new-framework.ts";
import { EXIT } from "../src/errors.ts";
import type { Place } from "../src/pipeline.ts";
import type { Request } from "../src/spec/schema.ts";
import type { Generator } from "./generator.ts";
import { Interview } from "./interview.ts";

interface Input {
  context: Context;
  place: Place;
  /** What flags and answers file already said. */
  request: Request;
  /** True when flags or an answers file leave nothing to ask. */
  complete: boolean;
}

/** `new-framework`: the interview gives a request, or undefined when the person chose to write nothing. */
export function newFrameworkGenerator({ context, place, request, complete }: Input): Generator<Request | undefined> {
  return {
    name: "new-framework",
    ask: async (ask) => {
      if (complete) return request;
      if (!isInteractive(context)) throw notATerminal(request, context);
      return new Interview(place, context.out, ask).run(request);
    },
    act: async (answered) => {
      if (answered !== undefined) return finish(context, answered, place);
      context.out.line("Nothing was written.");
      return EXIT.ok;
    },
  };
}
