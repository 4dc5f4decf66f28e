import type { RemoveFrameworkGiven } from "../src/flow/asked.ts";
import {
  removeFramework,
  type RemoveFrameworkRequest,
  type RemoveFrameworkResult,
} from "../src/flow/remove-framework.ts";
import type { Generator } from "./generator.ts";
import { choice } from "./question.ts";
import { askFramework } from "./service-questions.ts";

/** `remove-framework`: asks which, and whether really, naming what was edited. */
export const generator: Generator<RemoveFrameworkGiven, RemoveFrameworkRequest, RemoveFrameworkResult> = {
  ask: async (ask, { request: given, root }, out) => {
    const framework = given.framework ?? (await askFramework(ask, root, "Remove which framework?"));
    const request = { ...given, framework };
    const { change, edited } = await removeFramework({ ...request, dry: true });
    const count = change.plan.actions.filter(({ action }) => action === "delete").length;
    if (edited.length > 0) out.line(`You have edited: ${edited.join(", ")}`);
    const answer = await ask({
      type: "list",
      message: `Delete ${String(count)} files of ${request.place.shown}/${change.folder}${request.purge ? ", including its secrets" : ""}? Volumes stay.`,
      choices: [choice("No", "no"), choice("Yes", "yes")],
      default: "no",
    });
    return answer === "yes" ? request : undefined;
  },
  run: removeFramework,
};
