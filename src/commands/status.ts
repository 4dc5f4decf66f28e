import { status, type StatusRequest, type StatusResult } from "../flow/status.ts";
import { EXIT } from "../lib/errors.ts";
import { showStatus, statusError } from "../report/status.ts";
import { requireRoot, viewOf, type Command } from "./context.ts";

export const command: Command<StatusRequest, never, StatusResult> = {
  read: async (context) => {
    requireRoot(context);
    const { place, flags } = context;
    return Promise.resolve({ request: { place, frameworks: flags.positionals, isCheck: flags.isSet("check") } });
  },
  run: status,
  present: async (result, context) => {
    if (result === undefined) return EXIT.ok;
    const { flags } = context;
    showStatus(result, viewOf(context));
    const [broken] = result.errors;
    const error = broken ?? (flags.isSet("check") ? statusError(result, flags.isSet("require-env")) : undefined);
    if (error !== undefined) throw error;
    return Promise.resolve(EXIT.ok);
  },
};
