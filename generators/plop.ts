import type { NodePlopAPI } from "node-plop";

import { draftFromFlags } from "../src/commands/draft.ts";
import { asksNothing } from "../src/commands/new-framework.ts";
import { conflictsNow } from "../src/commands/regenerate.ts";
import { completeChoice, givenChoice } from "../src/commands/service-choice.ts";
import { readRoot } from "../src/probe/root.ts";
import { newFrameworkGenerator } from "./new-framework.ts";
import { registerForPlop } from "./plop-context.ts";
import { regenerateGenerator } from "./regenerate.ts";
import { removeFrameworkGenerator } from "./remove-framework.ts";
import { addServiceGenerator, removeServiceGenerator } from "./service.ts";

/** Registers every generator for Plop's command line. */
export function registerAll(plop: NodePlopAPI): void {
  registerForPlop(plop, "new-framework", async (context, place) => {
    const request = await draftFromFlags(context);
    return newFrameworkGenerator({ context, place, request, complete: asksNothing(context) });
  });
  for (const [verb, make] of [["add", addServiceGenerator] as const, ["remove", removeServiceGenerator] as const]) {
    registerForPlop(plop, `${verb}-service`, async (context, place) => {
      const given = await givenChoice(context, place);
      // Also says what is missing where nothing can be asked.
      return make({ context, place, given: { ...given, ...completeChoice(given, context, verb) } });
    });
  }
  registerForPlop(plop, "regenerate", async (context, place) =>
    regenerateGenerator({ context, place, conflicts: await conflictsNow(context, place) }),
  );
  registerForPlop(plop, "remove-framework", async (context, place) => {
    const root = await readRoot(place.root, place.shown, place.catalogue, { tolerant: true });
    return removeFrameworkGenerator({ context, place, root, name: context.flags.positionals[0] });
  });
}
