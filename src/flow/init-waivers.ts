import { chosenFrameworks } from "../root/find.ts";
import { isWaivable } from "../rules/waivers.ts";
import type { Finding } from "../rules/rule.ts";
import type { Spec } from "../spec/schema.ts";
import { today } from "../host/machine.ts";
import type { Place } from "./place.ts";
import { requireComplete } from "./road/complete.ts";
import { planChange } from "./road/plan-change.ts";
import { inSession } from "./session.ts";
import { validate } from "./validate.ts";

/** Waive what is found now, so that only what is new counts from here on. */
export interface InitWaiversRequest {
  place: Place;
  /** All frameworks when none is named. */
  frameworks: readonly string[];
}

export interface InitWaiversResult {
  /** What was waived, by framework; without those that nothing was found in. */
  waived: readonly { name: string; rules: readonly string[] }[];
  /** Rules whose findings have to be settled: a waiver would also hide those that come later, elsewhere. */
  left: readonly { name: string; rules: readonly string[] }[];
  notes: readonly string[];
}

/**
 * Writes a waiver into framework.yaml for each rule and service with a finding. All frameworks, or none.
 * @throws UserError for what cannot be done
 */
export async function initWaivers({ place, frameworks }: InitWaiversRequest): Promise<InitWaiversResult> {
  const judged = await validate({ place, frameworks });
  const found = new Map(judged.frameworks.map(({ name, findings }) => [name, findings]));
  return inSession(place, { dry: false }, async (session) => {
    const changes = [];
    const waived = [];
    const left = [];
    for (const framework of chosenFrameworks(session.root, frameworks)) {
      const findings = (found.get(framework.folder) ?? []).filter(({ outcome }) => outcome !== "waived");
      const rest = findings.filter((finding) => !canWait(finding)).map(({ rule }) => rule);
      if (rest.length > 0) left.push({ name: framework.folder, rules: [...new Set(rest)] });
      const added = waiversFor(findings, today());
      if (added.length === 0) continue;
      await requireComplete(framework, place);
      const spec: Spec = { ...framework.spec, waivers: [...framework.spec.waivers, ...added] };
      changes.push(await planChange({ framework, spec, upgrade: false }, place));
      waived.push({ name: framework.folder, rules: added.map(({ rule }) => rule) });
    }
    await session.commit(changes);
    return { waived, left, notes: session.notes };
  });
}

/** A waiver is for a rule and a service: of what has no service, it would hide everything. */
function canWait({ outcome, service, rule }: Finding): boolean {
  return outcome === "fail" && service !== null && isWaivable(rule);
}

function waiversFor(findings: readonly Finding[], day: string): Spec["waivers"] {
  const added = new Map<string, Spec["waivers"][number]>();
  for (const finding of findings) {
    const { rule, service } = finding;
    if (!canWait(finding)) continue;
    const key = `${rule} ${service ?? ""}`;
    const reason = `found when waivers were introduced (${day}); give the real reason, or fix it`;
    if (!added.has(key)) added.set(key, { rule, ...(service === null ? {} : { service }), reason });
  }
  return [...added.values()];
}
