import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Spec } from "../spec/schema.ts";
import { SPEC_RULE } from "./framework.ts";
import type { Finding, RuleInfo } from "./rule.ts";

type Waiver = Spec["waivers"][number];

/** The rule about waivers themselves. It cannot be waived. */
export const WAIVER_RULE: RuleInfo = {
  id: "waivers-valid",
  severity: "error",
  title: "Every waiver is about a rule that exists, has not expired, and is needed",
  why: "A waiver that nobody looks at again hides the next finding of its rule.",
  fix: "correct or remove the waiver in framework.yaml",
};

/** A rule that a container of the catalogue breaks as it is generated. */
export interface Exception {
  rule: string;
  service: string;
  reason: string;
}

/** What the manifests of a framework's services waive. */
export function exceptionsOf({ services }: Spec, catalogue: Catalogue): Exception[] {
  return Object.keys(services).flatMap((id) =>
    (catalogue.services.get(id)?.containers ?? []).flatMap(({ name, exceptions }) =>
      exceptions.map(({ rule, reason }) => ({ rule, reason, service: name })),
    ),
  );
}

/** What is wrong with one of the waivers, by its place in the list. */
export interface WaiverProblem {
  index: number;
  message: string;
  severity: Finding["severity"];
}

/** Rules that no waiver touches: what they find must be settled. */
const NOT_WAIVED = new Set([WAIVER_RULE.id, SPEC_RULE.id]);

/** Whether a waiver can be for a rule. */
export function isWaivable(rule: string): boolean {
  return !NOT_WAIVED.has(rule);
}

/**
 * Findings with those that a waiver is for marked as waived, and what is wrong with the waivers.
 * @param exceptions what the catalogue waives; one that is not needed is nobody's mistake
 * @param today as YYYY-MM-DD, in UTC; a waiver holds on the day on which it expires
 */
export function withWaivers(
  findings: readonly Finding[],
  waivers: readonly Waiver[],
  exceptions: readonly Exception[],
  known: ReadonlySet<string>,
  today: string,
): { findings: Finding[]; problems: WaiverProblem[] } {
  const used = new Set<number>();
  const judged = findings.map((finding): Finding => {
    if (NOT_WAIVED.has(finding.rule)) return finding;
    const fitting = waivers.flatMap((waiver, at) => (isFor(waiver, finding) ? [at] : []));
    const index = fitting.find((at) => !isExpired(waivers[at], today)) ?? fitting[0] ?? -1;
    const waiver = waivers[index];
    if (waiver === undefined) {
      const exception = exceptions.find((each) => each.rule === finding.rule && each.service === finding.service);
      return exception === undefined ? finding : waived(finding, exception.reason);
    }
    used.add(index);
    if (isExpired(waiver, today)) return finding;
    return waived(finding, waiver.reason);
  });
  const problems = waivers.flatMap((waiver, index): WaiverProblem[] => {
    const about = `of ${waiver.rule}${waiver.service === undefined ? "" : ` for ${waiver.service}`}`;
    if (NOT_WAIVED.has(waiver.rule))
      return [{ index, message: `the waiver ${about} has no effect`, severity: "error" }];
    if (!known.has(waiver.rule)) return [{ index, message: `there is no rule ${waiver.rule}`, severity: "error" }];
    if (isExpired(waiver, today))
      return [{ index, message: `the waiver ${about} expired on ${waiver.expires ?? ""}`, severity: "error" }];
    return used.has(index) ? [] : [{ index, message: `the waiver ${about} is not needed any more`, severity: "info" }];
  });
  return { findings: judged, problems };
}

function waived(finding: Finding, reason: string): Finding {
  return { ...finding, outcome: "waived", message: `${finding.message} (waived: ${reason})` };
}

function isFor(waiver: Waiver, finding: Finding): boolean {
  return waiver.rule === finding.rule && (waiver.service === undefined || waiver.service === finding.service);
}

function isExpired(waiver: Waiver | undefined, today: string): boolean {
  return waiver?.expires !== undefined && waiver.expires < today;
}
