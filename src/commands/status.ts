import { status, type StatusRequest, type StatusResult } from "../flow/status.ts";
import { EXIT } from "../lib/errors.ts";
import { showStatus, statusError } from "../report/status.ts";
import { envCheckOf, requireRoot, viewOf, type Command } from "./context.ts";

export const command: Command<StatusRequest, never, StatusResult> = {
  read: async (context) => {
    requireRoot(context);
    const { place, flags } = context;
    return Promise.resolve({ request: { place, frameworks: flags.positionals, isCheck: envCheckOf(context).check } });
  },
  run: status,
  present: async (result, context) => {
    if (result === undefined) return EXIT.ok;
    const view = { ...viewOf(context), ...envCheckOf(context) };
    showStatus(result, view);
    const [broken] = result.errors;
    const error = broken ?? statusError(result, view);
    if (error !== undefined) throw error;
    return Promise.resolve(EXIT.ok);
  },
};
