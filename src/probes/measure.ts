import type { MeasureSpec } from "../catalogue/measure.ts";
import type { SqlProblem, SqlSession } from "../host/database.ts";
import { filled, variablesOf, type ProbeContext } from "./context.ts";
import { haveSucceeded, requestOf, wrongWith } from "./http.ts";
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

const WARM_UP = 5;
const REPEATS = 5;
const EACH = 20;
/** For all of them; whoever is slower than this has a problem that needs no figures. */
const MOST_MS = 60_000;

/** A measure of a manifest, and what it works with. */
export interface Timed {
  spec: MeasureSpec;
  context: MeasureContext;
}

/** The figures of a measure, or why there are none. */
export type Figures = Latency | { problem: string };

/**
 * Times several things in several repeats, and never two at once. A repeat of each comes before the next repeat of the
 * first: so the repeats of one lie as far apart as possible, and show how much this host differs from one moment to the
 * next.
 * @returns for each, in the same order
 */
export async function measureAll(all: readonly Timed[]): Promise<readonly Figures[]> {
  const runs: Run[] = [];
  for (const { spec, context } of all) runs.push(await begun(spec, context));
  for (let repeat = 0; repeat <= REPEATS; repeat += 1)
    for (const run of runs) if (run.problem === undefined) await oneRepeat(run, repeat === 0 ? WARM_UP : EACH);
  for (const run of runs) {
    const left = await run.subject?.end();
    run.problem ??= left;
  }
  return runs.map(({ problem, repeats }) => (problem === undefined ? latencyOf(repeats.slice(1)) : { problem }));
}

/** A measure on its way. */
interface Run {
  subject: Subject | undefined;
  precise: () => number;
  /** Times by repeat; the first is the one to warm up. */
  repeats: number[][];
  spentMs: number;
  problem: string | undefined;
}

async function begun(spec: MeasureSpec, context: MeasureContext): Promise<Run> {
  const missing = variablesOf([spec.http, spec.sql]).filter((name) => (context.lookup(name) ?? "") === "");
  const subject =
    missing.length > 0
      ? { problem: `it needs ${missing.join(", ")}, which .env does not set` }
      : await prepared(spec, context);
  const run = { precise: context.precise, repeats: [], spentMs: 0 };
  return "problem" in subject ? { ...run, subject: undefined, ...subject } : { ...run, subject, problem: undefined };
}

async function oneRepeat(run: Run, count: number): Promise<void> {
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = run.precise();
    run.problem = await run.subject?.ask();
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

async function prepared(spec: MeasureSpec, context: MeasureContext): Promise<Subject | { problem: string }> {
  if (spec.http !== undefined) return overHttp(spec.http, context);
  return spec.sql === undefined ? { problem: "there is nothing to time" } : bySql(spec.sql, context);
}

async function overHttp(
  http: NonNullable<MeasureSpec["http"]>,
  context: MeasureContext,
): Promise<Subject | { problem: string }> {
  const cleanup = http.cleanup.map((each) => requestOf(http, each, context));
  const callOff = cleanup.length === 0 ? undefined : context.guard(cleanup);
  const send = async (step: typeof http.request): Promise<string | undefined> => {
    const wrong = wrongWith(await context.request(requestOf(http, step, context), context.timeoutMs), step, context);
    return wrong === undefined ? undefined : `${step.method} ${wrong.message}`;
  };
  const end = async (): Promise<string | undefined> => {
    if (!(await haveSucceeded(cleanup, context)))
      return `what it made is not deleted yet: ${context.lookup("PROBE_NAME") ?? ""}`;
    callOff?.();
    return undefined;
  };
  for (const step of http.before) {
    const problem = await send(step);
    if (problem === undefined) continue;
    await end();
    return { problem };
  }
  return { ask: async () => send(http.request), end };
}

async function bySql(
  { url, before, query }: NonNullable<MeasureSpec["sql"]>,
  context: MeasureContext,
): Promise<Subject | { problem: string }> {
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
