import type { ValidateResult } from "../../flow/validate.ts";
import type { Probed } from "../../probes/probe.ts";
import type { Figure, Measured } from "../../probes/latency.ts";
import type { Finding, RuleInfo } from "../../rules/rule.ts";

// What every form of a report says in the same words.

/** `frameworks/crewai/compose.yaml:22`; undefined for a finding without a place. */
export function placeOf({ file, line }: Finding): string | undefined {
  return file === null || line === null ? (file ?? undefined) : `${file}:${String(line)}`;
}

/** What a finding says, with its service in front. */
export function sentenceOf({ service, message }: Finding): string {
  return service === null ? message : `${service} ${message}`;
}

/** `qdrant state`, `qdrant.round-trip`. */
export function probeName({ id, service }: Probed): string {
  return id.includes(".") || service === "" ? id : `${service} ${id}`;
}

/** `412 passed, 2 failed, 1 unknown, 3 waived`. */
export function summaryLine({ summary: { pass, fail, unknown, waived } }: ValidateResult): string {
  const parts = [`${String(pass)} passed`, `${String(fail)} failed`];
  if (unknown > 0) parts.push(`${String(unknown)} unknown`);
  if (waived > 0) parts.push(`${String(waived)} waived`);
  return parts.join(", ");
}

/** `1.2 ms (1.1 to 1.4)`: the median of the repeats, and how far they lie apart. */
export function figureText({ median, least, most }: Figure): string {
  return `${msText(median)} ms (${msText(least)} to ${msText(most)})`;
}

function msText(ms: number): string {
  return ms >= 99.5 ? ms.toFixed(0) : ms.toPrecision(2);
}

/** What figures are against the baseline. */
export function comparisonText({ at, comparison }: NonNullable<Measured["before"]>): string {
  const time = `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`;
  return comparison === "same" ? `as on ${time}` : `${comparison} than on ${time}`;
}

/** Where a rule comes from, as people and other programs know it. */
export function sourcesOf({ cis = [], owasp = [], kics = [] }: RuleInfo): string[] {
  return [
    ...(cis.length === 0 ? [] : [`CIS Docker Benchmark 1.6.0, ${cis.join(", ")}`]),
    ...(owasp.length === 0 ? [] : [`OWASP Docker Security cheat sheet, rule ${owasp.join(", ")}`]),
    ...(kics.length === 0 ? [] : [`KICS: ${kics.join(", ")}`]),
  ];
}
