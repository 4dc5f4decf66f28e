import { findFramework } from "../src/commands/choose.ts";
import { flagSet, type Context } from "../src/commands/context.ts";
import { prepareRemoval, removeFramework } from "../src/commands/remove-framework.ts";
import { EXIT } from "../src/errors.ts";
import type { Place } from "../src/pipeline.ts";
import type { Root } from "../src/probe/root.ts";
import { askFramework } from "./framework-question.ts";
import type { Generator } from "./generator.ts";
import { choice } from "./question.ts";

interface Input {
  context: Context;
  place: Place;
  root: Root;
  name: string | undefined;
}

/** `remove-framework`: asks which, and whether really, naming what somebody edited. */
export function removeFrameworkGenerator({ context, place, root, name }: Input): Generator<string | undefined> {
  return {
    name: "remove-framework",
    ask: async (ask) => {
      const chosen = name ?? (await askFramework(ask, root, "Remove which framework?"));
      const framework = findFramework(root, chosen, place.shown);
      const purge = flagSet(context, "purge-secrets");
      const { plan, edited } = prepareRemoval(framework, place, purge);
      const files = plan.actions.filter(({ action }) => action === "delete").length;
      if (edited.length > 0) context.out.line(`Edited by somebody: ${edited.join(", ")}`);
      const answer = await ask({
        type: "list",
        message: `Delete ${String(files)} files of ${place.shown}/${framework.folder}${purge ? ", its secrets among them" : ""}? Volumes stay.`,
        choices: [choice("No", "no"), choice("Yes", "yes")],
        default: "no",
      });
      return answer === "yes" ? chosen : undefined;
    },
    act: async (chosen) => {
      if (chosen !== undefined) return removeFramework(context, place, chosen);
      context.out.line("Nothing was removed.");
      return EXIT.ok;
    },
  };
}
