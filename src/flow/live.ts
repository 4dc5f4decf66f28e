import type { Manifest } from "../catalogue/manifest.ts";
import { profilesIn } from "../compose/model.ts";
import * as engine from "../host/containers.ts";
import { isListening } from "../host/listening.ts";
import { now, pause, withinMs } from "../host/machine.ts";
import { once } from "../lib/once.ts";
import { clockAhead, clockProbe } from "../probes/clock.ts";
import { containerProbes, servicesNotReady, type StackContext, type StackState } from "../probes/containers.ts";
import { passed, unknown, type Probe, type Probed } from "../probes/probe.ts";
import { runProbes } from "../probes/run.ts";
import { projectOf } from "../root/framework.ts";
import { beginRun, manifestProbes, MOST_TEXT, networkElsewhere, type LiveStack } from "./live-probes.ts";
import type { Place } from "./place.ts";

/** How running stacks are asked. */
export interface LiveRequest {
  /** For the answer to one question. */
  timeoutSeconds: number;
  /** How long containers may take until they are healthy. */
  waitSeconds: number;
  /** Leaves out the probes that write something for a moment. */
  isReadOnly: boolean;
  /** Whether figures are taken as well: to be kept as the baseline, or to be held against it. */
  measuring: "keep" | "compare" | undefined;
  onProgress: (text: string) => void;
}

/** What was found by the directory of each framework, and what is to be said of all. */
export interface LiveResult {
  probed: ReadonlyMap<string, readonly Probed[]>;
  notes: readonly string[];
}

// Each may start a container, which takes the engine a moment.
const SIDE_BY_SIDE = 8;
/** The probe that fails where none of the others can be asked. */
const ENGINE = "engine";
/** An engine that is asked something has a limit of its own; with what waits for it, it takes no longer than this. */
const ENGINE_MS = 25_000;

/** Asks running stacks: what the engine knows of every container, and what each service's manifest declares. */
export async function probeStacks(stacks: readonly LiveStack[], place: Place, live: LiveRequest): Promise<LiveResult> {
  const limitMs = live.timeoutSeconds * 1000;
  const containers = await settled(stacks, live);
  if (containers === undefined) return { probed: new Map(stacks.map(silent)), notes: [] };
  const networks = await engine.bridgeNetworks();
  const run = await beginRun(limitMs, live.isReadOnly);
  const answers = engineAnswers(limitMs);
  let left = 0;
  const all = stacks.flatMap((stack) => {
    const about = contextOf(stack, containers, answers, place);
    const declared = manifestProbes(stack, about, place.catalogue, networkElsewhere(stack, stacks, networks), run);
    left += declared.left;
    const general: Probe[] = [
      { id: ENGINE, service: "", limitMs: ENGINE_MS, run: () => passed("the container engine answers") },
      clockProbe(answers.clock, ENGINE_MS),
    ];
    return [...general, ...containerProbes(about), ...declared.probes].map((probe) => ({ stack, probe }));
  });
  const results = await runProbes(
    all.map(({ probe }) => probe),
    {
      limit: SIDE_BY_SIDE,
      now,
      within: withinMs,
      onDone: (done, count) => {
        live.onProgress(`${String(done)} of ${String(count)} probes`);
      },
    },
  ).finally(() => {
    run.guard.end();
  });
  const probed = new Map<string, Probed[]>(stacks.map(({ framework }) => [framework.folder, []]));
  for (const [index, { stack }] of all.entries()) {
    const result = results[index];
    if (result === undefined) continue;
    // What a server says of a mistake may repeat what it was given.
    const message = stack.hide(result.message).slice(0, MOST_TEXT);
    probed.get(stack.framework.folder)?.push({ ...result, message });
  }
  const what = left === 1 ? "1 probe that writes something was" : `${String(left)} probes that write something were`;
  return { probed, notes: left === 0 ? [] : [`--read-only: ${what} left out`] };
}

/** What the engine is asked once for all stacks, when the first of them wants to know. */
interface EngineAnswers extends Pick<StackContext, "memory" | "inside"> {
  /** See `clockAhead`. */
  clock: () => Promise<number | undefined>;
}

function engineAnswers(limitMs: number): EngineAnswers {
  let memory: ReturnType<typeof engine.memoryInUse> | undefined;
  let clock: ReturnType<typeof clockAhead> | undefined;
  const insides = new Map<string, ReturnType<typeof engine.insideOf>>();
  return {
    // The engine measures for two seconds.
    memory: async ({ id }) => (await (memory ??= engine.memoryInUse())).get(id),
    clock: async () => (clock ??= clockAhead(engine.engineTime, now)),
    inside: async ({ id, volumes }) => {
      const paths = volumes.map(({ target }) => target);
      return once(insides, id, async () => engine.insideOf(id, paths, limitMs));
    },
  };
}

function silent({ framework }: LiveStack): [string, Probed[]] {
  const verdict = unknown("the container engine does not answer, so nothing could be asked", "npm run doctor");
  return [framework.folder, [{ id: ENGINE, service: "", ms: 0, ...verdict }]];
}

/** The engine's containers, once those of the stacks are healthy or the time for that is over. */
async function settled(
  stacks: readonly LiveStack[],
  { waitSeconds, onProgress }: LiveRequest,
): Promise<readonly engine.Container[] | undefined> {
  const deadline = now() + waitSeconds * 1000;
  for (;;) {
    const containers = await engine.engineContainers();
    if (containers === undefined || now() >= deadline) return containers;
    const late = stacks.reduce((sum, stack) => sum + servicesNotReady(stackState(stack, containers)), 0);
    if (late === 0) return containers;
    onProgress(`waiting for ${String(late)} ${late === 1 ? "service" : "services"}`);
    await pause(1000);
  }
}

function stackState({ framework, compose }: LiveStack, containers: readonly engine.Container[]): StackState {
  return { compose, project: projectOf(framework), profiles: profilesIn(framework.env), containers, now };
}

function contextOf(
  stack: LiveStack,
  containers: readonly engine.Container[],
  { memory, inside }: EngineAnswers,
  { catalogue }: Place,
): StackContext {
  const variables = new Map(
    Object.keys(stack.framework.spec.services)
      .flatMap((id): Manifest["containers"] => catalogue.services.get(id)?.containers ?? [])
      .map(({ name, variable }) => [name, `${variable}_MEMORY_LIMIT`]),
  );
  return {
    ...stackState(stack, containers),
    memory,
    inside,
    isListening,
    memoryVariable: (service) => variables.get(service),
    limitMs: ENGINE_MS,
  };
}
