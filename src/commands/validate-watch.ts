import type { ValidateRequest } from "../flow/validate.ts";
import { watch, type Round } from "../flow/watch.ts";
import { tell } from "../host/notify.ts";
import { request } from "../host/requests.ts";
import type { UserError } from "../lib/errors.ts";
import { changesDocumentOf, showRound } from "../report/validation/changes.ts";
import type { Context } from "./context.ts";
import type { Watch } from "./validate-flags.ts";
import { writeReports } from "./validate-reports.ts";

/** `validate --every`: shows changes, writes the reports anew in each round, and tells others of changes. */
export async function keepWatching(
  judging: ValidateRequest,
  { everySeconds, webhook, command }: Watch,
  context: Context,
): Promise<never> {
  const { out, place } = context;
  place.interrupt.done = "no further round";
  const warn = (error: UserError): void => {
    out.progress("");
    out.note(`warning: ${error.message}${error.hint === "" ? "" : `; ${error.hint}`}`);
  };
  return watch({
    validate: judging,
    everySeconds,
    onRound: async (round) => {
      showRound(round, out);
      // A disk that is full now may have room in the next round.
      const { problems } = await writeReports(round.result, context);
      for (const problem of problems) warn(problem);
      if (round.changes.length > 0)
        for (const problem of await told(round, webhook, command)) out.note(`warning: ${problem}`);
    },
    onError: warn,
  });
}

const LIMIT_MS = 10_000;

/** Tells others of changes. @returns what went wrong; no URL is in it, as one may hold a key */
async function told(round: Round, webhook: string | undefined, command: string | undefined): Promise<string[]> {
  const document = changesDocumentOf(round);
  const problems: string[] = [];
  if (webhook !== undefined) {
    const answer = await request({ method: "POST", url: webhook, headers: {}, body: document }, LIMIT_MS);
    if ("problem" in answer) problems.push(`the webhook was not told (${answer.problem})`);
    else if (answer.status >= 300) problems.push(`the webhook answered with ${String(answer.status)}`);
  }
  if (command !== undefined) {
    const problem = await tell(command, `${JSON.stringify(document)}\n`);
    if (problem !== undefined) problems.push(`the command of --on-change ${problem}`);
  }
  return problems;
}
