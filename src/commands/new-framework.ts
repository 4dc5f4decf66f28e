import type { CreateGiven } from "../flow/asked.ts";
import { create, type CreateRequest, type CreateResult } from "../flow/create.ts";
import { EXIT, usageError } from "../lib/errors.ts";
import { showCreation } from "../report/creation.ts";
import { isDryRun, isInteractive, viewOf, type Command, type Context } from "./context.ts";
import { readDraft } from "./draft.ts";
import { maySwallowYes } from "./npm.ts";

const EXAMPLE = "npm run new-framework -- crewai --yes";

export const command: Command<CreateRequest, CreateGiven, CreateResult> = {
  read: async (context) => {
    const { flags, place, out } = context;
    const request = { ...(await readDraft(context)), place, dry: isDryRun(context) };
    if (flags.isSet("yes") || flags.text("answers") !== undefined) {
      requireName(request);
      return { request };
    }
    if (!isInteractive(context)) throw notATerminal(request, context);
    if (maySwallowYes(context.env))
      out.note(`npm keeps --yes for itself; if you typed it, write -- before it: ${EXAMPLE}`);
    return { ask: request };
  },
  run: create,
  present: async (result, context) => {
    if (result === undefined) context.out.line("Nothing was written.");
    else await showCreation(result, context.place.catalogue, viewOf(context));
    return EXIT.ok;
  },
};

function requireName({ draft }: CreateRequest): void {
  if (draft.name !== undefined) return;
  throw usageError(
    "a name is missing",
    `for example: ${EXAMPLE}; in an answers file: name: crewai`,
    [{ key: "name", message: "is missing" }],
    "missing-name",
  );
}

function notATerminal({ draft }: CreateRequest, { env }: Context): Error {
  if (maySwallowYes(env)) {
    return usageError(
      "npm kept --yes for itself and did not pass it on",
      `write -- before the flags: ${EXAMPLE}`,
      [],
      "npm-swallowed",
    );
  }
  const missing = [...(draft.name === undefined ? ["a name"] : []), "--yes (take the defaults) or --answers FILE"];
  return usageError(
    `this is not a terminal, so nothing can be asked; missing: ${missing.join(", and ")}`,
    `for example: ${EXAMPLE}`,
    [],
    "not-a-terminal",
  );
}
