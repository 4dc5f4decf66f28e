import type { InitCiResult } from "../../flow/init-ci.ts";
import type { InitWaiversResult } from "../../flow/init-waivers.ts";
import type { MeasuredStack } from "../../probes/latency.ts";
import type { ValidateResult } from "../../flow/validate.ts";
import { EXIT, UserError } from "../../lib/errors.ts";
import type { ProbeInfo } from "../../probes/explain.ts";
import type { Probed } from "../../probes/probe.ts";
import type { Finding, RuleInfo, Severity } from "../../rules/rule.ts";
import { styled, type Output, type Styled } from "../output.ts";
import { validateDocumentOf } from "./document.ts";
import { comparisonText, figureText, placeOf, probeName, sentenceOf, sourcesOf, summaryLine } from "./words.ts";

/** What makes `validate` end with exit 6. */
export interface Verdicts {
  /** The least grave finding that counts. */
  failOn: Severity;
  /** Whether what could not be determined is left out of it. */
  allowUnknown: boolean;
}

const WORDS: Record<Severity, Styled> = {
  error: styled("error", "red"),
  warning: styled("warning", "yellow"),
  info: styled("info", "cyan"),
};

/** Findings by framework, then what they come to. */
export function showValidation(result: ValidateResult, out: Output): void {
  for (const note of result.notes) out.note(note);
  out.document(validateDocumentOf(result));
  if (result.frameworks.length === 0) out.line("There is no framework yet. Make one: npm run new-framework");
  for (const { name, findings, probes, measured } of result.frameworks) {
    if (findings.length + probes.length === 0) {
      out.line(styled(name, "bold"), ": nothing found");
      continue;
    }
    out.line(styled(name, "bold"));
    for (const [index, finding] of findings.entries())
      // The fix of several findings in a row is said once, after the last.
      showFinding(finding, findings[index + 1]?.fix !== finding.fix, out);
    showProbes(probes, out);
    if (measured !== undefined) showMeasured(measured, out);
  }
  if (result.frameworks.length > 0) out.line(summaryLine(result));
}

function showFinding(finding: Finding, withFix: boolean, out: Output): void {
  const { rule, severity, outcome, fix } = finding;
  const word =
    outcome === "waived"
      ? styled("waived", "dim")
      : outcome === "unknown"
        ? styled("unknown", "yellow")
        : WORDS[severity];
  const text = [placeOf(finding), sentenceOf(finding)].filter((part) => part !== undefined).join(": ");
  out.line("  ", word, `  ${text}`, styled(`  ${rule}`, "dim"));
  if (outcome !== "waived" && withFix) out.line(`    ${fix}`);
}

const OUTCOMES: Record<Probed["outcome"], Styled> = {
  pass: styled("pass", "green"),
  fail: styled("fail", "red"),
  unknown: styled("unknown", "yellow"),
};

/** A line for each probe; what to do, below those that did not pass. */
function showProbes(probes: readonly Probed[], out: Output): void {
  const names = probes.map(probeName);
  const width = Math.max(0, ...names.map(({ length }) => length));
  for (const [index, { outcome, ms, message, hint }] of probes.entries()) {
    const word = OUTCOMES[outcome];
    const gap = " ".repeat(9 - word.text.length);
    out.line(
      "  ",
      word,
      `${gap}${(names[index] ?? "").padEnd(width)}  ${message}`,
      styled(`  ${String(ms)} ms`, "dim"),
    );
    // As for findings: what helps several in a row is said once.
    if (hint !== "" && probes[index + 1]?.hint !== hint) out.line(`    ${hint}`);
  }
}

/** A line for each figure; against the baseline, where there is one. */
function showMeasured({ measures, problems }: MeasuredStack, out: Output): void {
  const width = Math.max(0, ...measures.map(({ id }) => id.length));
  for (const { id, p50, p95, before } of measures) {
    const words = before === undefined ? "" : `, ${comparisonText(before)}`;
    const isSlower = before?.comparison === "slower";
    out.line(
      "  ",
      isSlower ? styled("slower", "yellow") : styled("ms", "dim"),
      `${isSlower ? "   " : "       "}${id.padEnd(width)}  median ${figureText(p50)}, 95th percentile ${figureText(p95)}${words}`,
    );
    if (before !== undefined && before.comparison !== "same")
      out.line(`    before: median ${figureText(before.p50)}, 95th percentile ${figureText(before.p95)}`);
  }
  for (const problem of problems) out.line("  ", styled("unknown", "yellow"), `  ${problem}`);
}

const GRAVITY: readonly Severity[] = ["info", "warning", "error"];

/** Exit 6, where something counts. */
export function validationError(result: ValidateResult, { failOn, allowUnknown }: Verdicts): UserError | undefined {
  const all = result.frameworks.flatMap(({ findings }) => findings);
  const probes = result.frameworks.flatMap((framework) => framework.probes);
  const failed = all.filter(
    ({ outcome, severity }) => outcome === "fail" && GRAVITY.indexOf(severity) >= GRAVITY.indexOf(failOn),
  );
  const hasMilder = failed.length < all.filter(({ outcome }) => outcome === "fail").length;
  const failedProbes = probes.filter(({ outcome }) => outcome === "fail").length;
  const unknown = allowUnknown ? [] : all.filter(({ outcome }) => outcome === "unknown");
  const unclear = allowUnknown ? 0 : unknown.length + probes.filter(({ outcome }) => outcome === "unknown").length;
  // A baseline that could not be taken, or data that may be left; what is wrong with a service, its probes say.
  const unmeasured = result.frameworks.flatMap(({ measured }) => measured?.problems ?? []).length;
  const what = [
    ...(failed.length === 0
      ? []
      : [`${counted(failed.length, "finding")}${hasMilder ? ` of severity ${failOn} or above` : ""}`]),
    ...(failedProbes === 0 ? [] : [counted(failedProbes, "failed probe")]),
    ...(unmeasured === 0
      ? []
      : [`${counted(unmeasured, "measurement")} that failed, could not be saved or may have left data behind`]),
    ...(unclear === 0 ? [] : [`${counted(unclear, "result")} that could not be determined`]),
  ];
  if (what.length === 0) return undefined;
  const rule = (failed[0] ?? unknown[0])?.rule;
  return new UserError(what.join(", and "), {
    code: "findings",
    exit: EXIT.findings,
    hint:
      rule === undefined
        ? "each probe above says what helps; run docker compose in the directory of its framework"
        : `npm run validate -- --explain ${rule} says why and what to do`,
  });
}

function counted(count: number, word: string): string {
  return `${String(count)} ${word}${count === 1 ? "" : "s"}`;
}

/** What was waived. */
export function showInitWaivers({ waived, left, notes }: InitWaiversResult, shown: string, out: Output): void {
  for (const note of notes) out.note(note);
  for (const { name, rules } of waived)
    out.line(`${shown}/${name}/framework.yaml: waived ${[...new Set(rules)].join(", ")}`);
  for (const { name, rules } of left)
    out.line(`${shown}/${name}: not waived, as these are not about a service: ${rules.join(", ")}`);
  out.line(
    waived.length === 0
      ? "Nothing to waive."
      : "Each waiver needs its real reason: edit framework.yaml. What is found from here on is new.",
  );
}

/** The file that has a code host check everything, and what is left to do. */
export function showInitCi({ file, wasThere, host }: InitCiResult, out: Output): void {
  out.line(wasThere ? `${file} is there already.` : `Wrote ${file}.`);
  out.line(
    host === "gitlab"
      ? `Name it in .gitlab-ci.yml, then commit both: include: [{ local: ${file} }]`
      : "Commit it. It runs regenerate --check and validate for every pull request, and every push to main or master.",
  );
}

/** What a rule is about, at length. */
export function showRule(rule: RuleInfo, out: Output): void {
  out.line(styled(rule.id, "bold"), ` (${rule.severity})`);
  out.line(`${rule.title}.`);
  out.line("");
  out.line(`Why: ${rule.why}`);
  out.line(`Fix: ${rule.fix}.`);
  for (const source of sourcesOf(rule)) out.line(`See: ${source}`);
}

/** One probe, for `--explain`. */
export function showProbe({ id, isOfEach, meaning, help, writes }: ProbeInfo, out: Output): void {
  out.line(styled(id, "bold"), ` (probe of --live${isOfEach ? ", for each service" : ""})`);
  out.line(`A pass means: ${meaning}.`);
  if (writes) out.line("It writes something for a moment, and deletes it again; --read-only leaves it out.");
  if (help.length > 0) out.line("");
  for (const each of new Set(help)) out.line(`Fix: ${each}.`);
}
