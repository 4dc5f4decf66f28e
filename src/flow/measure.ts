import type { Catalogue } from "../catalogue/catalogue.ts";
import type { MeasureSpec } from "../catalogue/measure.ts";
import * as engine from "../host/containers.ts";
import { sqlSession } from "../host/database.ts";
import { Guard } from "../host/guard.ts";
import { preciseNow } from "../host/machine.ts";
import { randomBytes } from "../host/random.ts";
import { compared, type Measured, type MeasuredStack } from "../probes/latency.ts";
import { measureAll } from "../probes/measure.ts";
import { projectOf } from "../root/framework.ts";
import type { Baseline } from "../store/baseline.ts";
import { baselinesOf, keepBaselines } from "./baseline.ts";
import { contextFor, MOST_TEXT, type LiveStack, type Run } from "./live-probes.ts";
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
    const found = await figuresOf(stacks, place, live, new Map());
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
  return {
    stacks: new Map([...found].map(([folder, each]) => [folder, { ...each, problems: [] }])),
    notes: [...notes, ...[...found].flatMap(([folder, { problems }]) => problems.map((each) => `${folder}: ${each}`))],
  };
}

async function figuresOf(
  stacks: readonly LiveStack[],
  place: Place,
  live: LiveRequest,
  baselines: ReadonlyMap<string, Baseline>,
): Promise<Map<string, MeasuredStack>> {
  const found = new Map<string, MeasuredStack>();
  if (stacks.length === 0) return found;
  const containers = await engine.engineContainers();
  const id = randomBytes(8).toString("hex");
  const run: Run = {
    id,
    guard: new Guard(id),
    limitMs: live.timeoutSeconds * 1000,
    isReadOnly: false,
    isElsewhere: await engine.isElsewhere(),
  };
  try {
    for (const stack of stacks) {
      const { folder } = stack.framework;
      live.onProgress(`measuring ${folder}`);
      const silent = { measures: [], problems: ["nothing could be measured: the container engine does not answer"] };
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
): Promise<MeasuredStack> {
  const project = projectOf(stack.framework);
  const problems: string[] = [];
  const isAskable = ({ id, service }: Declared): boolean => {
    const isRunning = containers.some(
      (each) => each.project === project && each.service === service && each.status === "running",
    );
    if (isRunning && !run.isElsewhere) return true;
    const why = isRunning ? "the engine is on another host" : `${service} is not running`;
    problems.push(`${id} could not be measured: ${why}`);
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
