import type { RegenerateGiven } from "../src/flow/asked.ts";
import { Decisions } from "../src/flow/decisions.ts";
import { regenerate, type RegenerateRequest } from "../src/flow/regenerate.ts";
import type { Generator } from "./generator.ts";
import { choice } from "./question.ts";

const LATER = "later";

/** `regenerate`: one question for each file in conflict; the default leaves it open. */
export const generator: Generator<RegenerateGiven, RegenerateRequest, ReturnType<typeof regenerate>> = {
  ask: async (ask, { request, conflicts }, out) => {
    const decisions = new Decisions();
    for (const { path, reason } of conflicts) {
      out.line(`${path}: ${reason.replace(/; the new one is in .*$/, "")}`);
      const answer = await ask({
        type: "list",
        message: `${path}: both you and the update changed it`,
        choices: [
          choice(`Decide later: keep yours, write the new one next to it as ${path}.incoming`, LATER),
          choice("Keep mine: leave the file as it is and decline the update of it", "ours"),
          choice("Take the new one: your edits in this file are lost", "theirs"),
        ],
        default: LATER,
      });
      if (answer === "ours" || answer === "theirs") decisions.set(path, answer);
    }
    return { ...request, decisions };
  },
  run: async (request) => Promise.resolve(regenerate(request)),
};
