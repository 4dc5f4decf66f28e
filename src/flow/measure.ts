import type { Catalogue } from "../catalogue/catalogue.ts";
import type { MeasureSpec } from "../catalogue/measure.ts";
import * as engine from "../host/containers.ts";
import { sqlSession } from "../host/database.ts";
import { preciseNow } from "../host/machine.ts";
import { compared, type Measured, type MeasuredStack } from "../probes/latency.ts";
import { measureAll } from "../probes/measure.ts";
import { projectOf } from "../root/framework.ts";
import type { Baseline } from "../store/baseline.ts";
import { baselinesOf, keepBaselines } from "./baseline.ts";
import { beginRun, contextFor, MOST_TEXT, type LiveStack, type Run } from "./live-probes.ts";
import type { LiveRequest } from "./live.ts";
import type { Place } from "./place.ts";

export interface MeasuredStacks {
  stacks: ReadonlyMap<string, MeasuredStack>;
  notes: readonly string[];
}

/**
 * Times what the manifests of running stacks declare, one stack after the other. `keep` saves the figures of each stack as
 * its baseline if all could be taken; `compare` only measures stacks that have one of this machine.
 */
export async function measureStacks(
  stacks: readonly LiveStack[],
  place: Place,
  live: LiveRequest,
  wanted: "keep" | "compare",
): Promise<MeasuredStacks> {
  if (wanted === "keep") {
    const taken = await figuresOf(stacks, place, live, new Map());
    const found = new Map([...taken].map(([folder, figures]) => [folder, withProblems(figures, () => true)]));
    const { notes, problems } = await keepBaselines(found, place);
    const stacksNow = [...found].map(([folder, each]): [string, MeasuredStack] => {
      const problem = problems.get(folder);
      return [folder, problem === undefined ? each : { ...each, problems: [...each.problems, problem] }];
    });
    return { stacks: new Map(stacksNow), notes };
  }
  const { baselines, notes } = baselinesOf(
    stacks.map(({ framework }) => framework),
    place,
  );
  const chosen = stacks.filter(({ framework }) => baselines.has(framework.folder));
  const found = await figuresOf(chosen, place, live, baselines);
  // What is wrong with a service, its probes say; what is left of measuring it, they do not.
  const others = [...found].flatMap(([folder, { problems }]) =>
    problems.filter(({ isLeft }) => !isLeft).map(({ text }) => `${folder}: ${text}`),
  );
  return {
    stacks: new Map([...found].map(([folder, figures]) => [folder, withProblems(figures, ({ isLeft }) => isLeft)])),
    notes: [...notes, ...others],
  };
}

/** What measuring a stack came to. */
interface StackFigures {
  measures: readonly Measured[];
  problems: readonly Problem[];
}

interface Problem {
  text: string;
  /** Whether what was made may still be there. */
  isLeft: boolean;
}

function withProblems({ measures, problems }: StackFigures, counts: (problem: Problem) => boolean): MeasuredStack {
  return { measures, problems: problems.filter(counts).map(({ text }) => text) };
}

async function figuresOf(
  stacks: readonly LiveStack[],
  place: Place,
  live: LiveRequest,
  baselines: ReadonlyMap<string, Baseline>,
): Promise<Map<string, StackFigures>> {
  const found = new Map<string, StackFigures>();
  if (stacks.length === 0) return found;
  const containers = await engine.engineContainers();
  const run = await beginRun(live.timeoutSeconds * 1000, false);
  try {
    for (const stack of stacks) {
      const { folder } = stack.framework;
      live.onProgress(`measuring ${folder}`);
      const why = { text: "nothing could be measured: the container engine does not answer", isLeft: false };
      const silent = { measures: [], problems: [why] };
      const figures =
        containers === undefined
          ? silent
          : await measureStack(stack, containers, place.catalogue, run, baselines.get(folder));
      found.set(folder, figures);
      await place.interrupt.breathe();
    }
  } finally {
    run.guard.end();
  }
  return found;
}

async function measureStack(
  stack: LiveStack,
  containers: readonly engine.Container[],
  catalogue: Catalogue,
  run: Run,
  baseline: Baseline | undefined,
): Promise<StackFigures> {
  const project = projectOf(stack.framework);
  const problems: Problem[] = [];
  const isAskable = ({ id, service }: Declared): boolean => {
    const isRunning = containers.some(
      (each) => each.project === project && each.service === service && each.status === "running",
    );
    if (isRunning && !run.isElsewhere) return true;
    const why = isRunning ? "the engine is on another host" : `${service} is not running`;
    problems.push({ text: `${id} could not be measured: ${why}`, isLeft: false });
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
      const text = `${id} could not be measured: ${stack.hide(result.problem).slice(0, MOST_TEXT)}`;
      problems.push({ text, isLeft: result.isLeft });
      return [];
    }
    const before = baseline?.measures[id];
    const comparison =
      before === undefined ? undefined : { ...before, at: baseline?.at ?? "", comparison: compared(result, before) };
    return [{ id, service, title: spec.title, ...result, before: comparison }];
  });
  return { measures, problems };
}

interface Declared {
  /** `SERVICE.MEASURE`. */
  id: string;
  spec: MeasureSpec;
  /** The container's name in the Compose file. */
  service: string;
}

/** What the manifests of a stack's services declare, but for what somebody took out of the Compose file. */
function declaredMeasures({ framework: { spec }, compose }: LiveStack, catalogue: Catalogue): Declared[] {
  return Object.keys(spec.services)
    .flatMap((id) => {
      const manifest = catalogue.services.get(id);
      return (manifest?.measures ?? []).map((each): Declared => {
        const service = each.container ?? manifest?.containers[0]?.name ?? id;
        return { id: `${id}.${each.id}`, spec: each, service };
      });
    })
    .filter(({ service }) => compose.services.has(service));
}
