import type { Catalogue } from "../catalogue/catalogue.ts";
import type { MeasureSpec } from "../catalogue/measure.ts";
import * as engine from "../host/containers.ts";
import { sqlSession } from "../host/database.ts";
import { Guard } from "../host/guard.ts";
import { isoTime, machineInfo, now, preciseNow } from "../host/machine.ts";
import { randomBytes } from "../host/random.ts";
import { STORED_MODE, type Plan } from "../plan/plan.ts";
import { BASELINE_FILE } from "../plan/state.ts";
import { compared, type Comparison, type Latency } from "../probes/latency.ts";
import { measureAll } from "../probes/measure.ts";
import { chosenFrameworks } from "../root/find.ts";
import { projectOf } from "../root/framework.ts";
import { isExternal } from "../spec/schema.ts";
import { baselineText, readBaseline, type Baseline } from "../store/baseline.ts";
import { readDirectory } from "../store/directory.ts";
import { UserError } from "../lib/errors.ts";
import { contextFor, type LiveStack, type Run } from "./live-probes.ts";
import type { LiveRequest } from "./live.ts";
import type { Place } from "./place.ts";
import { inSession } from "./session.ts";

/** How long one thing took in a running stack, and what that is against the baseline of this machine. */
export interface Measured extends Latency {
  /** `SERVICE.MEASURE`. */
  id: string;
  /** The container's name in the Compose file; "" for a service outside the stack. */
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

export interface MeasuredStacks {
  stacks: ReadonlyMap<string, MeasuredStack>;
  notes: readonly string[];
}

/**
 * Times what the manifests of running stacks declare, one after the other, so that nothing of this program is in the
 * way. `keep` saves the figures of each stack as its baseline if all could be taken; `compare` only measures stacks that
 * have one of this machine.
 */
export async function measureStacks(
  stacks: readonly LiveStack[],
  place: Place,
  live: LiveRequest,
  wanted: "keep" | "compare",
): Promise<MeasuredStacks> {
  const notes: string[] = [];
  const machine = machineInfo();
  const baselines = new Map(
    stacks.map(({ framework }) => [framework.folder, usable(framework, machine.id, place, notes)]),
  );
  const chosen = stacks.filter(({ framework }) => wanted === "keep" || baselines.get(framework.folder) !== undefined);
  const found = new Map<string, MeasuredStack>();
  if (chosen.length === 0) return { stacks: found, notes };
  const containers = (await engine.engineContainers()) ?? [];
  const id = randomBytes(8).toString("hex");
  const run: Run = {
    id,
    guard: new Guard(id),
    limitMs: live.timeoutSeconds * 1000,
    isReadOnly: false,
    isElsewhere: await engine.isElsewhere(),
  };
  try {
    for (const stack of chosen) {
      live.onProgress(`measuring ${stack.framework.folder}`);
      const baseline = wanted === "compare" ? baselines.get(stack.framework.folder) : undefined;
      const figures = await measureStack(stack, containers, place.catalogue, run, baseline);
      found.set(stack.framework.folder, wanted === "keep" ? figures : { ...figures, problems: [] });
      if (wanted === "compare")
        notes.push(...figures.problems.map((problem) => `${stack.framework.folder}: ${problem}`));
      await place.interrupt.breathe();
    }
  } finally {
    run.guard.end();
  }
  if (wanted === "keep") notes.push(...(await keep(found, { at: isoTime(now()), machine }, place)));
  return { stacks: found, notes };
}

/** The baseline of a directory, if it is of this machine. */
function usable(
  { folder, dir }: LiveStack["framework"],
  machine: string,
  { shown }: Place,
  notes: string[],
): Baseline | undefined {
  try {
    const baseline = readBaseline(dir, `${shown}/${folder}`);
    if (baseline === undefined || baseline.machine.id === machine) return baseline;
    const { cpu, cores } = baseline.machine;
    notes.push(
      `${folder}: its baseline is of another machine (${cpu}, ${String(cores)} cores), so nothing is compared`,
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    notes.push(`warning: ${error.message}; ${error.hint}`);
  }
  return undefined;
}

async function measureStack(
  stack: LiveStack,
  containers: readonly engine.Container[],
  catalogue: Catalogue,
  run: Run,
  baseline: Baseline | undefined,
): Promise<MeasuredStack> {
  const project = projectOf(stack.framework);
  const isRunning = (service: string): boolean =>
    containers.some((each) => each.project === project && each.service === service && each.status === "running");
  const problems: string[] = [];
  const isAskable = ({ id, service }: Declared): boolean => {
    const isHere = service === "" || isRunning(service);
    if (isHere && (service === "" || !run.isElsewhere)) return true;
    problems.push(
      `${id} could not be measured: ${isHere ? "the engine is on another host" : `${service} is not running`}`,
    );
    return false;
  };
  const asked = declaredMeasures(stack, catalogue).filter(isAskable);
  const results = await measureAll(
    asked.map(({ spec }) => ({
      spec,
      context: { ...contextFor(stack, undefined, run), precise: preciseNow, connect: sqlSession },
    })),
  );
  const measures = asked.flatMap(({ id, spec, service }, index): Measured[] => {
    const result = results[index];
    if (result === undefined) return [];
    if ("problem" in result) {
      problems.push(`${id} could not be measured: ${stack.hide(result.problem).slice(0, MOST_TEXT)}`);
      return [];
    }
    const before = baseline?.measures[id];
    const comparison =
      before === undefined ? undefined : { ...before, at: baseline?.at ?? "", comparison: compared(result, before) };
    return [{ id, service, title: spec.title, ...result, before: comparison }];
  });
  return { measures, problems };
}

const MOST_TEXT = 300;

interface Declared {
  id: string;
  spec: MeasureSpec;
  service: string;
}

/** What the manifests of a stack's services declare; of services outside, what can be measured there. */
function declaredMeasures({ framework: { spec }, compose }: LiveStack, catalogue: Catalogue): Declared[] {
  const here = Object.keys(spec.services).flatMap((id) => {
    const manifest = catalogue.services.get(id);
    return (manifest?.measures ?? []).map((each): Declared => {
      const service = each.container ?? manifest?.containers[0]?.name ?? id;
      return { id: `${id}.${each.id}`, spec: each, service };
    });
  });
  const outside = [...catalogue.services.values()]
    .filter(({ id }) => isExternal(spec, id))
    .flatMap(({ id, measures, external }) =>
      measures
        .filter((each) => external?.measures.includes(each.id) === true)
        .map((each): Declared => ({ id: `${id}.${each.id}`, spec: each, service: "" })),
    );
  return [...here.filter(({ service }) => compose.services.has(service)), ...outside];
}

/** Saves baselines, all in one change. @returns what is to be said */
async function keep(
  found: ReadonlyMap<string, MeasuredStack>,
  about: Pick<Baseline, "at" | "machine">,
  place: Place,
): Promise<string[]> {
  const whole = [...found].filter(([, { measures, problems }]) => measures.length > 0 && problems.length === 0);
  const kept = new Map(
    whole.map(([folder, { measures }]): [string, string] => {
      const figures = Object.fromEntries(measures.map(({ id, p50, p95 }) => [id, { p50, p95 }]));
      return [folder, baselineText({ schemaVersion: 1, ...about, measures: figures })];
    }),
  );
  if (kept.size > 0)
    await inSession(place, { dry: false }, async (session) => {
      const changes = chosenFrameworks(session.root, [...kept.keys()]).map((framework) => {
        const { folder, dir } = framework;
        const disk = readDirectory(dir, [BASELINE_FILE], `${place.shown}/${folder}`);
        const content = kept.get(folder) ?? "";
        const plan: Plan = {
          framework: folder,
          actions: [],
          writes: new Map([[BASELINE_FILE, { content, mode: STORED_MODE }]]),
          removes: new Set(),
          preconditions: new Map([[BASELINE_FILE, disk.get(BASELINE_FILE)?.sha256 ?? null]]),
        };
        return { folder, framework, spec: framework.spec, plan, disk, secrets: [], visible: NOTHING, notes: [] };
      });
      await session.commit(changes);
    });
  return [...found].map(([folder, { measures }]) => {
    const file = `${place.shown}/${folder}/${BASELINE_FILE}`;
    if (kept.has(folder)) return `the baseline of ${folder} is in ${file}`;
    return measures.length === 0 && (found.get(folder)?.problems.length ?? 0) === 0
      ? `${folder} has nothing that can be measured, so it has no baseline`
      : `warning: no baseline was kept for ${folder}, as not everything could be measured`;
  });
}

const NOTHING: ReadonlySet<string> = new Set();
