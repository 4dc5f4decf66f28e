import type { RegenerateGiven } from "../flow/asked.ts";
import { Decisions } from "../flow/decisions.ts";
import {
  findConflicts,
  regenerate,
  type RegenerateRequest,
  type RegenerateResult,
  type RegenerateStart,
  type RegenerateStep,
} from "../flow/regenerate.ts";
import { EXIT, usageError } from "../lib/errors.ts";
import { regenerationError, showRegeneration, showStep } from "../report/regeneration.ts";
import { envCheckOf, isDryRun, isInteractive, requireRoot, viewOf, type Command } from "./context.ts";

type Steps = AsyncGenerator<RegenerateStart | RegenerateStep, RegenerateResult>;

export const command: Command<RegenerateRequest, RegenerateGiven, Steps> = {
  read: async (context) => {
    requireRoot(context);
    const { flags, place, out } = context;
    const decisions = Decisions.from({ ours: flags.list("ours"), theirs: flags.list("theirs") });
    const { check: isCheck } = envCheckOf(context);
    const dry = isDryRun(context) || isCheck;
    const recordsDigests = flags.isSet("digests");
    if (isCheck && recordsDigests)
      throw usageError("--check and --digests cannot be used together", "--check asks no engine; --digests asks it");
    const request = {
      place,
      frameworks: flags.positionals,
      decisions,
      listsKept: out.json,
      dry,
      isCheck,
      recordsDigests,
    };
    const canAsk = isInteractive(context) && !dry && !out.json && !flags.isSet("yes") && decisions.isEmpty;
    const conflicts = canAsk ? await findConflicts(request) : [];
    return conflicts.length === 0 ? { request } : { ask: { request, conflicts } };
  },
  run: async (request) => Promise.resolve(regenerate(request)),
  present: async (steps, context) => {
    if (steps === undefined) return EXIT.ok;
    const envCheck = envCheckOf(context);
    const view = { ...viewOf(context), ...envCheck, dry: isDryRun(context) || envCheck.check };
    let next = await steps.next();
    try {
      for (; next.done !== true; next = await steps.next()) await showStep(next.value, view);
    } finally {
      // Ends the session where a step could not be shown; after the last one it does nothing.
      if (next.done !== true) await steps.return(undefined as never);
    }
    showRegeneration(next.value, view);
    const error = regenerationError(next.value, view);
    if (error !== undefined) throw error;
    return EXIT.ok;
  },
};
