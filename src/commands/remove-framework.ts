import type { RemoveFrameworkGiven } from "../flow/asked.ts";
import { removeFramework, type RemoveFrameworkRequest, type RemoveFrameworkResult } from "../flow/remove-framework.ts";
import { readFrameworks } from "../flow/survey.ts";
import { EXIT, usageError } from "../lib/errors.ts";
import { showRemoval } from "../report/removal.ts";
import { findFramework } from "../root/find.ts";
import { isDryRun, isInteractive, viewOf, type Command } from "./context.ts";

export const command: Command<RemoveFrameworkRequest, RemoveFrameworkGiven, RemoveFrameworkResult> = {
  read: async (context) => {
    const { flags, place } = context;
    const [framework, more] = flags.positionals;
    if (more !== undefined) throw usageError(`unexpected argument "${more}"`, "one framework is expected");
    const request = { framework, purge: flags.isSet("purge-secrets"), place, dry: isDryRun(context) };
    if (framework !== undefined && (flags.isSet("yes") || request.dry)) return { request: { ...request, framework } };
    const root = await readFrameworks(place);
    if (framework !== undefined) findFramework(root, framework);
    if (isInteractive(context)) return { ask: { request, root } };
    const missing = [
      ...(framework === undefined ? ["the framework"] : []),
      ...(flags.isSet("yes") ? [] : ["--yes"]),
    ].join(", and ");
    const example = framework ?? root.frameworks[0]?.folder ?? "crewai";
    throw usageError(
      `this is not a terminal, so nothing can be asked; missing: ${missing}`,
      `for example: npm run remove-framework -- ${example} --yes`,
      [],
      "not-a-terminal",
    );
  },
  run: removeFramework,
  present: async (result, context) => {
    if (result === undefined) context.out.line("Nothing was removed.");
    else showRemoval(result, viewOf(context));
    return Promise.resolve(EXIT.ok);
  },
};
