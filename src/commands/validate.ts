import { extname } from "node:path";

import type { LiveRequest } from "../flow/live.ts";
import { initWaivers, type InitWaiversResult } from "../flow/init-waivers.ts";
import { validate, type ValidateRequest, type ValidateResult } from "../flow/validate.ts";
import { EXIT, usageError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { FORMATS } from "../report/validation/formats.ts";
import {
  showInitWaivers,
  showRule,
  showValidation,
  validationError,
  type Verdicts,
} from "../report/validation/terminal.ts";
import { RULES } from "../rules/judge.ts";
import type { RuleInfo, Severity } from "../rules/rule.ts";
import type { Command, Context } from "./context.ts";

interface Request extends ValidateRequest {
  /** A rule to explain instead. */
  explain: RuleInfo | undefined;
  /** Whether to waive what is found instead. */
  isBaseline: boolean;
}

type Result = ValidateResult | RuleInfo | InitWaiversResult;

export const command: Command<Request, never, Result> = {
  read: async (context) => {
    const { place, flags } = context;
    verdictsOf(context);
    reportsOf(context);
    requireAlone(context);
    const explain = flags.text("explain");
    return Promise.resolve({
      request: {
        place,
        frameworks: flags.positionals,
        explain: explain === undefined ? undefined : ruleOf(explain),
        isBaseline: flags.isSet("init-waivers"),
        live: liveOf(context),
      },
    });
  },
  run: async ({ explain, isBaseline, ...request }) =>
    explain ?? (isBaseline ? initWaivers(request) : validate(request)),
  present: async (result, context) => {
    const { out, place } = context;
    if (result === undefined) return EXIT.ok;
    if ("id" in result) {
      showRule(result, out);
      return EXIT.ok;
    }
    if ("waived" in result) {
      showInitWaivers(result, place.shown, out);
      return EXIT.ok;
    }
    out.progress("");
    showValidation(result, out);
    const report = { result, rules: RULES, version: place.provenance().program };
    for (const { file, format } of reportsOf(context)) {
      const { writeReport } = await import("../apply/report-file.ts");
      writeReport(context.cwd, file, format(report));
      out.note(`the report is in ${file}`);
    }
    const error = validationError(result, verdictsOf(context));
    if (error !== undefined) throw error;
    return EXIT.ok;
  },
};

/** @throws UserError exit 2 for flags that belong to a run of the rules, beside one that does something else */
function requireAlone({ flags, out }: Context): void {
  const other = flags.isSet("init-waivers") ? "--init-waivers" : flags.text("explain") === undefined ? "" : "--explain";
  const used = [
    ...(out.json ? ["--json"] : []),
    ...(flags.isSet("live") ? ["--live"] : []),
    ...(flags.list("report").length > 0 ? ["--report"] : []),
    ...(flags.text("fail-on") === undefined ? [] : ["--fail-on"]),
  ];
  const [first] = used;
  if (other !== "" && first !== undefined)
    throw usageError(`${other} and ${first} cannot be used together`, `run validate ${first} on its own`);
}

/** @throws UserError exit 2 for a time that is no number of seconds, and for what only counts with --live */
function liveOf({ flags, out }: Context): LiveRequest | undefined {
  const seconds = (name: string, usual: number, least: number): number => {
    const text = flags.text(name);
    if (text === undefined) return usual;
    const value = /^\d{1,4}$/.test(text) ? Number(text) : -1;
    if (value < least || value > 3600)
      throw usageError(`--${name} ${text} is not a number of seconds`, `use ${String(least)} to 3600`);
    return value;
  };
  const live = {
    timeoutSeconds: seconds("timeout", 10, 1),
    waitSeconds: seconds("wait", 0, 0),
    isReadOnly: flags.isSet("read-only"),
    onProgress: (text: string) => {
      out.progress(text);
    },
  };
  if (flags.isSet("live")) return live;
  const alone = ["timeout", "wait"].find((name) => flags.text(name) !== undefined);
  const unused = alone ?? (live.isReadOnly ? "read-only" : undefined);
  if (unused !== undefined) throw usageError(`--${unused} has no effect without --live`, "add --live");
  return undefined;
}

/** @throws UserError exit 2 for a severity that there is not */
function verdictsOf({ flags }: Context): Verdicts {
  const failOn = flags.text("fail-on") ?? "error";
  if (!isSeverity(failOn)) throw usageError(`--fail-on ${failOn} is not a severity`, "use error, warning or info");
  return { failOn, allowUnknown: flags.isSet("allow-unknown") };
}

function isSeverity(text: string): text is Severity {
  return ["error", "warning", "info"].includes(text);
}

/** @throws UserError exit 2 for a file whose ending says nothing */
function reportsOf({ flags }: Context): { file: string; format: (typeof FORMATS)[string] & object }[] {
  return flags.list("report").map((file) => {
    const ending = extname(file).slice(1).toLowerCase();
    const format = Object.hasOwn(FORMATS, ending) ? FORMATS[ending] : undefined;
    if (format === undefined)
      throw usageError(
        `--report ${file}: its ending does not say what to write`,
        `end its name in one of ${Object.keys(FORMATS)
          .map((each) => `.${each}`)
          .join(", ")}`,
      );
    return { file, format };
  });
}

/** @throws UserError exit 2 */
function ruleOf(id: string): RuleInfo {
  const found = RULES.find((rule) => rule.id === id);
  if (found !== undefined) return found;
  const ids = RULES.map((rule) => rule.id);
  const near = nearest(id, ids);
  throw usageError(
    `there is no rule ${id}`,
    near === undefined ? `the rules are ${ids.join(", ")}` : `did you mean ${near}? The rules are ${ids.join(", ")}`,
  );
}
