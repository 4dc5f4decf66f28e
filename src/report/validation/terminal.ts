import type { InitWaiversResult } from "../../flow/init-waivers.ts";
import type { ValidateResult } from "../../flow/validate.ts";
import { EXIT, UserError } from "../../lib/errors.ts";
import type { Finding, RuleInfo, Severity } from "../../rules/rule.ts";
import { styled, type Output, type Styled } from "../output.ts";
import { validateDocumentOf } from "./document.ts";

/** What makes `validate` end with exit 6. */
export interface Verdicts {
  /** The least grave finding that counts. */
  failOn: Severity;
  /** Whether what could not be told counts. */
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
  for (const { name, findings } of result.frameworks) {
    if (findings.length === 0) {
      out.line(styled(name, "bold"), ": nothing found");
      continue;
    }
    out.line(styled(name, "bold"));
    for (const [index, finding] of findings.entries())
      // The fix of several findings in a row is said once, after the last.
      showFinding(finding, findings[index + 1]?.fix !== finding.fix, out);
  }
  if (result.frameworks.length > 0) out.line(summaryLine(result));
}

function showFinding(finding: Finding, withFix: boolean, out: Output): void {
  const { rule, severity, outcome, service, file, line, message, fix } = finding;
  const word =
    outcome === "waived"
      ? styled("waived", "dim")
      : outcome === "unknown"
        ? styled("unknown", "yellow")
        : WORDS[severity];
  const place = file === null ? "" : `${file}${line === null ? "" : `:${String(line)}`}: `;
  out.line("  ", word, `  ${place}${service === null ? "" : `${service} `}${message}`, styled(`  ${rule}`, "dim"));
  if (outcome !== "waived" && withFix) out.line(`    ${fix}`);
}

/** `412 passed, 2 failed, 1 could not be told, 3 waived`. */
export function summaryLine({ summary: { pass, fail, unknown, waived } }: ValidateResult): string {
  const parts = [`${String(pass)} passed`, `${String(fail)} failed`];
  if (unknown > 0) parts.push(`${String(unknown)} unknown`);
  if (waived > 0) parts.push(`${String(waived)} waived`);
  return parts.join(", ");
}

const GRAVITY: readonly Severity[] = ["info", "warning", "error"];

/** Exit 6, where something counts. */
export function validationError(result: ValidateResult, { failOn, allowUnknown }: Verdicts): UserError | undefined {
  const all = result.frameworks.flatMap(({ findings }) => findings);
  const failed = all.filter(
    ({ outcome, severity }) => outcome === "fail" && GRAVITY.indexOf(severity) >= GRAVITY.indexOf(failOn),
  );
  const unknown = allowUnknown ? [] : all.filter(({ outcome }) => outcome === "unknown");
  if (failed.length + unknown.length === 0) return undefined;
  const what = [
    ...(failed.length === 0 ? [] : [`${String(failed.length)} ${failed.length === 1 ? "finding" : "findings"}`]),
    ...(unknown.length === 0 ? [] : [`${String(unknown.length)} that could not be determined`]),
  ].join(", and ");
  const rule = (failed[0] ?? unknown[0])?.rule ?? "";
  return new UserError(what, {
    code: "findings",
    exit: EXIT.findings,
    hint: `npm run validate -- --explain ${rule} says why and what to do`,
  });
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

/** What a rule is about, at length. */
export function showRule(rule: RuleInfo, out: Output): void {
  out.line(styled(rule.id, "bold"), ` (${rule.severity})`);
  out.line(`${rule.title}.`);
  out.line("");
  out.line(`Why: ${rule.why}`);
  out.line(`Fix: ${rule.fix}.`);
  for (const source of sourcesOf(rule)) out.line(`See: ${source}`);
}

/** Where a rule comes from, as people and other programs know it. */
export function sourcesOf({ cis = [], owasp = [], kics = [] }: RuleInfo): string[] {
  return [
    ...(cis.length === 0 ? [] : [`CIS Docker Benchmark 1.6.0, ${cis.join(", ")}`]),
    ...(owasp.length === 0 ? [] : [`OWASP Docker Security cheat sheet, rule ${owasp.join(", ")}`]),
    ...(kics.length === 0 ? [] : [`KICS: ${kics.join(", ")}`]),
  ];
}
