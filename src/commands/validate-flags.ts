import { extname } from "node:path";

import type { Catalogue } from "../catalogue/catalogue.ts";
import { CI_FILES, isCiHost, type InitCiRequest } from "../flow/init-ci.ts";
import type { LiveRequest } from "../flow/live.ts";
import { usageError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import { probeInfos, type ProbeInfo } from "../probes/explain.ts";
import { FORMATS } from "../report/validation/formats.ts";
import type { Verdicts } from "../report/validation/terminal.ts";
import { RULES } from "../rules/judge.ts";
import type { RuleInfo, Severity } from "../rules/rule.ts";
import type { Context, Flags } from "./context.ts";

// What is read of the flags of `validate`.

/** @throws UserError exit 2 for flags that belong to a run of the rules, beside one that does something else */
export function requireAlone({ flags, out }: Context): void {
  const others = ["init-waivers", "init-ci", "explain"].filter(
    (name) => flags.isSet(name) || flags.text(name) !== undefined,
  );
  const [other = "", second] = others.map((name) => `--${name}`);
  const used = [
    ...(second === undefined ? [] : [second]),
    ...(out.json ? ["--json"] : []),
    ...(flags.isSet("live") ? ["--live"] : []),
    ...(flags.isSet("baseline") ? ["--baseline"] : []),
    ...(flags.text("every") === undefined ? [] : ["--every"]),
    ...(flags.list("report").length > 0 ? ["--report"] : []),
    ...(flags.text("fail-on") === undefined ? [] : ["--fail-on"]),
  ];
  const [first] = used;
  if (other !== "" && first !== undefined)
    throw usageError(`${other} and ${first} cannot be used together`, `run validate ${first} on its own`);
}

/** @throws UserError exit 2 for a time that is no number of seconds, and for what only counts with --live */
export function liveOf({ flags, out }: Context): LiveRequest | undefined {
  const isBaseline = flags.isSet("baseline");
  const isWatching = flags.text("every") !== undefined;
  const [other] = [...(flags.isSet("read-only") ? ["--read-only"] : []), ...(isWatching ? ["--every"] : [])];
  if (isBaseline && other !== undefined)
    throw usageError(`--baseline and ${other} cannot be used together`, "run validate --baseline on its own");
  const live = {
    timeoutSeconds: secondsOf(flags, "timeout", 1) ?? 10,
    waitSeconds: secondsOf(flags, "wait", 0) ?? 0,
    isReadOnly: flags.isSet("read-only"),
    measuring: isBaseline
      ? ("keep" as const)
      : flags.isSet("read-only") || isWatching
        ? undefined
        : ("compare" as const),
    onProgress: (text: string) => {
      out.progress(text);
    },
  };
  if (flags.isSet("live") || isBaseline) return live;
  const alone = ["timeout", "wait"].find((name) => flags.text(name) !== undefined);
  const unused = alone ?? (live.isReadOnly ? "read-only" : undefined);
  if (unused !== undefined) throw usageError(`--${unused} has no effect without --live`, "add --live");
  return undefined;
}

/** @throws UserError exit 2 for what is no number of seconds */
function secondsOf(flags: Flags, name: string, least: number): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : -1;
  if (value < least || value > 3600)
    throw usageError(`--${name} ${text} is not a number of seconds`, `use ${String(least)} to 3600`);
  return value;
}

/** How often it judges again, and who is told of a change. */
export interface Watch {
  everySeconds: number;
  /** Told by a request. */
  webhook: string | undefined;
  /** Told on its standard input. */
  command: string | undefined;
}

/** @throws UserError exit 2 for what only counts with --every, and for what cannot be told */
export function watchOf({ flags, out, env }: Context): Watch | undefined {
  const everySeconds = secondsOf(flags, "every", 1);
  if (everySeconds === undefined) {
    const unused = ["webhook", "on-change"].find((name) => flags.text(name) !== undefined);
    if (unused !== undefined) throw usageError(`--${unused} has no effect without --every`, "add --every SECONDS");
    return undefined;
  }
  if (out.json)
    throw usageError("--every and --json cannot be used together", "--on-change COMMAND gets each change as JSON");
  // Such a URL often holds a key, and others can read arguments: it need not be one.
  const url = flags.text("webhook") ?? env["VALIDATE_WEBHOOK"];
  if (url !== undefined && !/^https?:/.test(URL.canParse(url) ? new URL(url).protocol : ""))
    throw usageError(
      "--webhook needs a URL that starts with http:// or https://",
      "see the URL in --webhook, or in the variable VALIDATE_WEBHOOK",
    );
  return { everySeconds, webhook: url, command: flags.text("on-change") };
}

/** @throws UserError exit 2 for a code host that there is no file for */
export function ciOf({ flags, place, cwd }: Context): InitCiRequest | undefined {
  const host = flags.text("init-ci");
  if (host === undefined) return undefined;
  if (!isCiHost(host)) throw usageError(`there is no CI file for ${host}`, `use ${Object.keys(CI_FILES).join(" or ")}`);
  return { place, cwd, host, templates: flags.text("templates") };
}

/** @throws UserError exit 2 for a severity that there is not */
export function verdictsOf({ flags }: Context): Verdicts {
  const failOn = flags.text("fail-on") ?? "error";
  if (!isSeverity(failOn)) throw usageError(`--fail-on ${failOn} is not a severity`, "use error, warning or info");
  return { failOn, allowUnknown: flags.isSet("allow-unknown") };
}

function isSeverity(text: string): text is Severity {
  return ["error", "warning", "info"].includes(text);
}

/** A report that is asked for. */
export interface ReportFile {
  file: string;
  format: (typeof FORMATS)[string] & object;
  /** Whether it shows what the stacks look like. */
  isPage: boolean;
}

/** @throws UserError exit 2 for a file whose ending says nothing */
export function reportsOf({ flags }: Context): ReportFile[] {
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
    return { file, format, isPage: ending === "html" };
  });
}

/** @throws UserError exit 2 if there is no such rule or probe */
export function explained(id: string, catalogue: Catalogue): RuleInfo | ProbeInfo {
  const all = [...RULES, ...probeInfos(catalogue)];
  const wanted = id.toLowerCase();
  const found = all.find((each) => each.id === wanted);
  if (found !== undefined) return found;
  const near = nearest(
    wanted,
    all.map((each) => each.id),
  );
  throw usageError(
    `there is no rule or probe ${id}`,
    near === undefined ? "docs/validation.md lists them" : `did you mean ${near}? docs/validation.md lists all`,
  );
}
