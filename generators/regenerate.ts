import type { Context } from "../src/commands/context.ts";
import { Decisions } from "../src/commands/decisions.ts";
import { regenerate, type FoundConflict } from "../src/commands/regenerate.ts";
import type { Place } from "../src/pipeline.ts";
import type { Generator } from "./generator.ts";
import { choice } from "./question.ts";

interface Input {
  context: Context;
  place: Place;
  conflicts: readonly FoundConflict[];
}

const LATER = "later";

/** `regenerate`: one question for each file in conflict; the default leaves it open. */
export function regenerateGenerator({ context, place, conflicts }: Input): Generator<Decisions> {
  return {
    name: "regenerate",
    ask: async (ask) => {
      const decisions = new Decisions();
      for (const { path, reason } of conflicts) {
        context.out.line(`${path}: ${reason.replace(/; the new one is in .*$/, "")}`);
        const answer = await ask({
          type: "list",
          message: `${path}: your edit and the update meet`,
          choices: [
            choice(`Decide later: yours stays, the new one is put beside it as ${path}.incoming`, LATER),
            choice("Keep mine: the file stays as it is, the update of it is declined", "ours"),
            choice("Take the new one: your edits in this file go", "theirs"),
          ],
          default: LATER,
        });
        if (answer === "ours" || answer === "theirs") decisions.set(path, answer);
      }
      return decisions;
    },
    act: (decisions) => regenerate(context, place, decisions),
  };
}
