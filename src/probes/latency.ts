/** A figure in milliseconds: the median of several repeats, and how far they lie apart. That is its noise. */
export interface Figure {
  median: number;
  least: number;
  most: number;
}

/** How long one thing takes: half of the times, and 95 of 100, are not longer. */
export interface Latency {
  p50: Figure;
  p95: Figure;
}

/** @param repeats at least one, each with at least one time in milliseconds */
export function latencyOf(repeats: readonly (readonly number[])[]): Latency {
  const figure = (share: number): Figure => {
    const values = repeats.map((times) => quantile(times, share)).toSorted((a, b) => a - b);
    return { median: rounded(quantile(values, 0.5)), least: rounded(values[0]), most: rounded(values.at(-1)) };
  };
  return { p50: figure(0.5), p95: figure(0.95) };
}

/** By nearest rank: a time that was really taken, none in between. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function rounded(ms: number | undefined): number {
  return Math.round((ms ?? 0) * 1000) / 1000;
}

export type Comparison = "slower" | "faster" | "same";

/** Less than this is what a host differs by from one hour to the next. */
const LEAST_PART = 0.25;
const LEAST_MS = 0.5;

/**
 * Something changed when the repeats of both runs do not overlap, for half of the times or for the slow ones, and their
 * medians differ by a quarter and by half a millisecond.
 */
export function compared(now: Latency, then: Latency): Comparison {
  const pairs = [
    [now.p50, then.p50],
    [now.p95, then.p95],
  ] as const;
  if (pairs.some(([a, b]) => isMore(a, b))) return "slower";
  return pairs.some(([a, b]) => isMore(b, a)) ? "faster" : "same";
}

function isMore(a: Figure, b: Figure): boolean {
  const difference = a.median - b.median;
  return a.least > b.most && difference >= b.median * LEAST_PART && difference >= LEAST_MS;
}

/** How long one thing took in a running stack, and what that is against the baseline of this machine. */
export interface Measured extends Latency {
  /** `SERVICE.MEASURE`. */
  id: string;
  /** The container's name in the Compose file. */
  service: string;
  title: string;
  /** Undefined where there is no baseline of this machine that has it, or it has just been kept. */
  before: (Latency & { at: string; comparison: Comparison }) | undefined;
}

export interface MeasuredStack {
  measures: readonly Measured[];
  /** What was to be kept and could not be measured, as sentences; for a comparison, the probes say what is wrong. */
  problems: readonly string[];
}
