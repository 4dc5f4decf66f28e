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
  let before: States | undefined;
  for (;;) {
    const begun = now();
    try {
      const result = await validate(request);
      const after = nextStates(before, result);
      await onRound({
        at: isoTime(begun),
        isFirst: before === undefined,
        result,
        changes: changesBetween(before, after),
      });
      before = after;
    } catch (error) {
      // A root that cannot be read now may be readable in the next round.
      if (!(error instanceof UserError)) throw error;
      onError(error);
    }
    await pause(Math.max(0, begun + everySeconds * 1000 - now()));
  }
}

/** What is so of each rule and probe, by what it is about. A rule that was kept leaves no state. */
export type States = ReadonlyMap<string, State>;

interface State extends Change {
  isProbe: boolean;
}

/**
 * The states after a round. A probe that failed and was not asked again, because its container or the engine does not
 * run, is no success: it is `unknown` until it is asked.
 */
export function nextStates(before: States | undefined, result: Pick<ValidateResult, "frameworks">): States {
  const states = new Map<string, State>();
  const names = new Set(result.frameworks.map(({ name }) => name));
  for (const { name: framework, findings, probes } of result.frameworks) {
    const all = [
      ...findings.map(({ rule, service, key, outcome, message, fix }) => ({
        about: ["rule", rule, service ?? "", key ?? ""],
        state: { check: rule, service: service ?? "", to: outcome, message, fix, isProbe: false },
      })),
      ...probes.map(({ id, service, outcome, message, hint }) => ({
        about: ["probe", id, service],
        state: { check: id, service, to: outcome, message, fix: hint, isProbe: true },
      })),
    ];
    for (const { about, state } of all) {
      const key = JSON.stringify([framework, ...about]);
      const known = states.get(key);
      // Several findings of a rule about one thing count by the worst.
      if (known === undefined || GRAVITY.indexOf(state.to) > GRAVITY.indexOf(known.to))
        states.set(key, { framework, from: undefined, ...state });
    }
  }
  for (const [key, state] of before ?? [])
    if (state.isProbe && state.to !== "pass" && names.has(state.framework) && !states.has(key))
      states.set(key, { ...state, to: "unknown", message: "was not asked this time", fix: "" });
  return states;
}

const GRAVITY: readonly Outcome[] = ["pass", "waived", "unknown", "fail"];

/** @param before of the round before; undefined in the first, where all that is not right counts as a change */
export function changesBetween(before: States | undefined, after: States): Change[] {
  if (before === undefined) return [...after.values()].filter(({ to }) => to === "fail" || to === "unknown");
  const changed = [...after].flatMap(([key, state]) => {
    const from = before.get(key)?.to ?? "pass";
    return from === state.to ? [] : [{ ...state, from }];
  });
  const kept = [...before].flatMap(([key, state]): Change[] =>
    after.has(key) || state.isProbe
      ? []
      : [{ ...state, from: state.to, to: "pass", message: "is right again", fix: "" }],
  );
  return [...changed, ...kept];
}
