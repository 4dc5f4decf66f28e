import { isoTime, now, pause } from "../host/machine.ts";
import { UserError } from "../lib/errors.ts";
import { validate, type ValidateRequest, type ValidateResult } from "./validate.ts";

/** Judges again and again, until somebody ends it. */
export interface WatchRequest {
  validate: ValidateRequest;
  /** From the start of one round to the start of the next. */
  everySeconds: number;
  /** Ends when what it was told is said. */
  onRound: (round: Round) => Promise<void>;
  /** What kept a round from being judged at all. */
  onError: (error: UserError) => void;
}

/** What is so now, and was not so a round ago; in the first round, all that is not right. */
export interface Round {
  /** When it began, as 2027-03-31T12:00:00.000Z. */
  at: string;
  isFirst: boolean;
  result: ValidateResult;
  changes: readonly Change[];
}

type Outcome = "pass" | "fail" | "unknown" | "waived";

/** A rule or a probe that has another outcome than before. */
export interface Change {
  framework: string;
  /** "" for the framework as a whole. */
  service: string;
  /** The id of the rule or the probe. */
  check: string;
  /** Undefined in the first round. */
  from: Outcome | undefined;
  to: Outcome;
  message: string;
  /** What to do; empty for a pass. */
  fix: string;
}

/** Never ends by itself. */
export async function watch({ validate: request, everySeconds, onRound, onError }: WatchRequest): Promise<never> {
  let before: ReadonlyMap<string, Change> | undefined;
  for (;;) {
    const begun = now();
    try {
      const result = await validate(request);
      const found = statesOf(result);
      await onRound({ at: isoTime(begun), isFirst: before === undefined, result, changes: changesFrom(before, found) });
      before = found;
    } catch (error) {
      // A root that cannot be read now may be readable in the next round.
      if (!(error instanceof UserError)) throw error;
      onError(error);
    }
    await pause(Math.max(0, begun + everySeconds * 1000 - now()));
  }
}

/** Every finding and probe by what it is about. A rule with several findings about one thing counts by its worst. */
function statesOf({ frameworks }: ValidateResult): Map<string, Change> {
  const states = new Map<string, Change>();
  for (const { name: framework, findings, probes } of frameworks) {
    const all = [
      ...findings.map(({ rule, service, key, outcome, message, fix }) => ({
        about: [rule, service ?? "", key ?? ""],
        state: { check: rule, service: service ?? "", to: outcome, message, fix },
      })),
      ...probes.map(({ id, service, outcome, message, hint }) => ({
        about: [id, service],
        state: { check: id, service, to: outcome, message, fix: hint },
      })),
    ];
    for (const { about, state } of all) {
      const key = JSON.stringify([framework, ...about]);
      const known = states.get(key);
      if (known === undefined || GRAVITY.indexOf(state.to) > GRAVITY.indexOf(known.to))
        states.set(key, { framework, from: undefined, ...state });
    }
  }
  return states;
}

const GRAVITY: readonly Outcome[] = ["pass", "waived", "unknown", "fail"];

/** @param before of the round before; undefined in the first */
export function changesFrom(
  before: ReadonlyMap<string, Change> | undefined,
  found: ReadonlyMap<string, Change>,
): Change[] {
  if (before === undefined) return [...found.values()].filter(({ to }) => to === "fail" || to === "unknown");
  const changes: Change[] = [];
  for (const [key, state] of found) {
    // A rule that was kept has left no trace.
    const from = before.get(key)?.to ?? "pass";
    if (from !== state.to) changes.push({ ...state, from });
  }
  for (const [key, state] of before)
    if (!found.has(key) && state.to !== "pass")
      changes.push({ ...state, from: state.to, to: "pass", message: "is right again", fix: "" });
  return changes;
}
