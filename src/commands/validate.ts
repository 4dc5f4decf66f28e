import { initCi, type InitCiRequest, type InitCiResult } from "../flow/init-ci.ts";
import { initWaivers, type InitWaiversResult } from "../flow/init-waivers.ts";
import { validate, type ValidateRequest, type ValidateResult } from "../flow/validate.ts";
import { EXIT } from "../lib/errors.ts";
import {
  showInitCi,
  showInitWaivers,
  showProbe,
  showRule,
  showValidation,
  validationError,
} from "../report/validation/terminal.ts";
import type { ProbeInfo } from "../probes/explain.ts";
import type { RuleInfo } from "../rules/rule.ts";
import type { Command } from "./context.ts";
import { ciOf, explained, liveOf, reportsOf, requireAlone, verdictsOf, watchOf } from "./validate-flags.ts";
import { requirePlaces, writeReports } from "./validate-reports.ts";

interface Request extends ValidateRequest {
  /** A rule or a probe to explain instead. */
  explain: RuleInfo | ProbeInfo | undefined;
  /** Whether to waive what is found instead. */
  isBaseline: boolean;
  /** A code host that is to do all this, instead. */
  ci: InitCiRequest | undefined;
  /** Judge again and again; only ends when it is told to. */
  watching: (() => Promise<never>) | undefined;
}

type Result = ValidateResult | RuleInfo | ProbeInfo | InitWaiversResult | InitCiResult;

export const command: Command<Request, never, Result> = {
  read: async (context) => {
    const { place, flags } = context;
    verdictsOf(context);
    requireAlone(context);
    const explain = flags.text("explain");
    const reports = reportsOf(context);
    await requirePlaces(reports, context);
    const judging = {
      place,
      frameworks: flags.positionals,
      live: liveOf(context),
      withStacks: reports.some(({ isPage }) => isPage),
      // A name that was mistyped must not look like frameworks without a finding.
      requiresRoot: flags.text("root") !== undefined,
    };
    const watching = watchOf(context);
    return Promise.resolve({
      request: {
        ...judging,
        explain: explain === undefined ? undefined : explained(explain, place.catalogue),
        isBaseline: flags.isSet("init-waivers"),
        ci: ciOf(context),
        watching:
          watching === undefined
            ? undefined
            : async () => {
                const { keepWatching } = await import("./validate-watch.ts");
                return keepWatching(judging, watching, context);
              },
      },
    });
  },
  run: async ({ explain, isBaseline, ci, watching, ...request }) => {
    if (watching !== undefined) return watching();
    if (explain !== undefined) return explain;
    if (ci !== undefined) return initCi(ci);
    return isBaseline ? initWaivers(request) : validate(request);
  },
  present: async (result, context) => {
    const { out, place } = context;
    if (result === undefined) return EXIT.ok;
    if ("id" in result) {
      if ("meaning" in result) showProbe(result, out);
      else showRule(result, out);
      return EXIT.ok;
    }
    if ("file" in result) {
      showInitCi(result, out);
      return EXIT.ok;
    }
    if ("waived" in result) {
      showInitWaivers(result, place.shown, out);
      return EXIT.ok;
    }
    out.progress("");
    showValidation(result, out);
    const { files, problems } = await writeReports(result, context);
    for (const file of files) out.note(`the report is in ${file}`);
    const error = validationError(result, verdictsOf(context));
    const [unwritten, ...others] = problems;
    for (const { message, hint } of others) out.note(`warning: ${message}; ${hint}`);
    if (unwritten !== undefined && error !== undefined) out.note(error.message);
    if (unwritten !== undefined) throw unwritten;
    if (error !== undefined) throw error;
    return EXIT.ok;
  },
};
