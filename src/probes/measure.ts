import type { MeasureSpec } from "../catalogue/measure.ts";
import type { SqlProblem, SqlSession } from "../host/database.ts";
import { filled, variablesOf, type ProbeContext } from "./context.ts";
import { haveSucceeded, leftOver, oneRequest, requestOf } from "./http.ts";
import { latencyOf, type Latency } from "./latency.ts";

/** What measuring works with. */
interface MeasureContext extends ProbeContext {
  /** Milliseconds since some time, with fractions. */
  precise: () => number;
  connect: (url: string, timeoutMs: number) => Promise<SqlSession | SqlProblem>;
}

/** Something that can be timed. Problems are sentences without a subject. */
interface Subject {
  /** Does it once. @returns what went wrong */
  ask: () => Promise<string | undefined>;
  /** Takes away what was made for it. @returns what went wrong */
  end: () => Promise<string | undefined>;
}

/** Why there is nothing to time. */
interface Unprepared {
  problem: string;
  isLeft?: boolean;
}

const WARM_UP = 5;
const REPEATS = 5;
/** For one measure; whoever is slower than this has a problem that needs no figures. */
const MOST_MS = 60_000;

/** A measure of a manifest, and what it works with. */
export interface Timed {
  spec: MeasureSpec;
  context: MeasureContext;
}

/** The figures of a measure, or why there are none; `isLeft`: what it made may still be there. */
export type Figures = Latency | { problem: string; isLeft: boolean };

/**
 * Times several things in several repeats, and never two at once. A repeat of each comes before the next repeat of the
 * first: so the repeats of one lie as far apart as possible, and show how much this host differs from one moment to the
 * next.
 * @returns for each, in the same order
 */
export async function measureAll(all: readonly Timed[]): Promise<readonly Figures[]> {
  const runs: MeasureRun[] = [];
  try {
    for (const { spec, context } of all) runs.push(await begun(spec, context));
    for (let repeat = 0; repeat <= REPEATS; repeat += 1)
      for (const run of runs)
        if (run.problem === undefined) await oneRepeat(run, repeat === 0 ? Math.min(WARM_UP, run.each) : run.each);
  } finally {
    for (const run of runs) {
      const left = await tried(async () => run.subject?.end());
      if (left === undefined) continue;
      run.problem = run.problem === undefined ? left : `${run.problem}; ${left}`;
      run.isLeft = true;
    }
  }
  return runs.map(({ problem, isLeft, repeats }) =>
    problem === undefined ? latencyOf(repeats.slice(1)) : { problem, isLeft },
  );
}

/** One that fails by itself, because of a value that nobody thought of, must not take the others with it. */
async function tried(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch {
    // Its message may repeat such a value.
    return VALUES_UNFIT;
  }
}

const VALUES_UNFIT = "it could not be put together; see the values in .env that it uses";

/** A measure on its way. */
interface MeasureRun {
  subject: Subject | undefined;
  precise: () => number;
  /** Times in one repeat. */
  each: number;
  /** Times by repeat; the first is the one to warm up. */
  repeats: number[][];
  spentMs: number;
  problem: string | undefined;
  isLeft: boolean;
}

async function begun(spec: MeasureSpec, context: MeasureContext): Promise<MeasureRun> {
  const missing = variablesOf([spec.http, spec.sql]).filter((name) => (context.lookup(name) ?? "") === "");
  const subject =
    missing.length > 0
      ? { problem: `it needs ${missing.join(", ")}, which .env does not set` }
      : await prepared(spec, context).catch(() => ({ problem: VALUES_UNFIT }));
  const run = { precise: context.precise, each: spec.timesPerRepeat, repeats: [], spentMs: 0, isLeft: false };
  return "problem" in subject ? { ...run, subject: undefined, ...subject } : { ...run, subject, problem: undefined };
}

async function oneRepeat(run: MeasureRun, count: number): Promise<void> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = run.precise();
    run.problem = await tried(async () => run.subject?.ask());
    if (run.problem !== undefined) return;
    const ms = run.precise() - start;
    times.push(ms);
    run.spentMs += ms;
    if (run.spentMs > MOST_MS) {
      run.problem = `it took more than ${String(MOST_MS / 1000)} seconds in all`;
      return;
    }
  }
  run.repeats.push(times);
}

async function prepared(spec: MeasureSpec, context: MeasureContext): Promise<Subject | Unprepared> {
  if (spec.http !== undefined) return httpSubject(spec.http, context);
  return spec.sql === undefined ? { problem: "there is nothing to time" } : sqlSubject(spec.sql, context);
}

async function httpSubject(
  http: NonNullable<MeasureSpec["http"]>,
  context: MeasureContext,
): Promise<Subject | Unprepared> {
  const cleanup = http.cleanup.map((each) => requestOf(http, each, context));
  const callOff = cleanup.length === 0 ? undefined : context.guard(cleanup);
  let hasMade = false;
  let isLate = false;
  const send = async (step: Parameters<typeof oneRequest>[2]): Promise<string | undefined> => {
    const sent = await oneRequest(NO_HINTS, http, step, context);
    hasMade ||= sent.hasMade;
    isLate ||= sent.isLate && sent.hasMade;
    return sent.verdict.outcome === "pass" ? undefined : sent.verdict.message;
  };
  const end = async (): Promise<string | undefined> => {
    // A server that hangs may carry it out after the cleanup: the guard, which is still held, tries later.
    if (isLate) return leftOver(context);
    for (const step of hasMade ? http.after : []) {
      const problem = await send(step);
      if (problem !== undefined) return `${problem}; ${leftOver(context)}`;
    }
    if (hasMade && !(await haveSucceeded(cleanup, context))) return leftOver(context);
    callOff?.();
    return undefined;
  };
  for (const step of http.before) {
    const problem = await send(step);
    if (problem === undefined) continue;
    const left = await end();
    return left === undefined ? { problem } : { problem: `${problem}; ${left}`, isLeft: true };
  }
  return { ask: async () => send(http.request), end };
}

/** What helps, the probes say. */
const NO_HINTS = { title: "", hint: "", hints: {} };

async function sqlSubject(
  { url, before, query }: NonNullable<MeasureSpec["sql"]>,
  context: MeasureContext,
): Promise<Subject | Unprepared> {
  const session = await context.connect(filled(url, context), context.timeoutMs);
  if ("problem" in session) return { problem: `${session.message} (${session.problem})` };
  const run = async (statement: string): Promise<string | undefined> => {
    const problem = await session.run(filled(statement, context));
    return problem === undefined ? undefined : `${problem.message} (${problem.problem})`;
  };
  const end = async (): Promise<undefined> => {
    await session.end();
    return undefined;
  };
  for (const statement of before.length === 0 ? [] : ["BEGIN", ...before]) {
    const problem = await run(statement);
    if (problem === undefined) continue;
    await end();
    return { problem };
  }
  return { ask: async () => run(query), end };
}
