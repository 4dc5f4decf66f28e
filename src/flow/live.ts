import type { Manifest } from "../catalogue/manifest.ts";
import * as engine from "../host/containers.ts";
import { Guard } from "../host/guard.ts";
import { isListening } from "../host/listening.ts";
import { now, pause, withinMs } from "../host/machine.ts";
import { randomBytes } from "../host/random.ts";
import { once } from "../lib/once.ts";
import { clockProbe } from "../probes/clock.ts";
import { containerProbes, type Surroundings } from "../probes/containers.ts";
import { passed, unknown, type Probed } from "../probes/probe.ts";
import { runProbes } from "../probes/run.ts";
import { manifestProbes, networkElsewhere, projectOf, type LiveStack, type Run } from "./live-probes.ts";
import type { Place } from "./place.ts";

/** How running stacks are asked. */
export interface LiveRequest {
  /** For the answer to one question. */
  timeoutSeconds: number;
  /** How long containers may take until they are healthy. */
  waitSeconds: number;
  /** Leaves out the probes that write something for a moment. */
  isReadOnly: boolean;
  onProgress: (text: string) => void;
}

/** What was found by the directory of each framework, and what is to be said of all. */
export interface LiveResult {
  probed: ReadonlyMap<string, readonly Probed[]>;
  notes: readonly string[];
}

/** More than any message of ours; a server's own may be longer. */
const MOST_TEXT = 300;
// Each may start a container, which takes the engine a moment.
const SIDE_BY_SIDE = 8;
/** The probe that fails where none of the others can be asked. */
const ENGINE = "engine";
/** An engine that is asked something has a limit of its own; with what waits for it, it takes no longer than this. */
const ENGINE_MS = 25_000;

/** Asks running stacks: what the engine knows of every container, and what each service's manifest declares. */
export async function probeStacks(stacks: readonly LiveStack[], place: Place, live: LiveRequest): Promise<LiveResult> {
  const limitMs = live.timeoutSeconds * 1000;
  const containers = await settled(stacks, place, live);
  if (containers === undefined) return { probed: new Map(stacks.map(silent)), notes: [] };
  let memory: Promise<ReadonlyMap<string, number>> | undefined;
  const insides = new Map<string, ReturnType<typeof engine.insideOf>>();
  const shared: Pick<Surroundings, "memory" | "inside"> = {
    // One question for all of them: it takes two seconds.
    memory: async ({ id }) => (await (memory ??= engine.memoryInUse())).get(id),
    inside: async ({ id, volumes }) => {
      const paths = volumes.map(({ target }) => target);
      return once(insides, id, async () => engine.insideOf(id, paths, limitMs));
    },
  };
  const networks = await engine.bridgeNetworks();
  const id = randomBytes(8).toString("hex");
  const run: Run = {
    id,
    guard: new Guard(id),
    limitMs,
    isReadOnly: live.isReadOnly,
    isElsewhere: await engine.isElsewhere(),
  };
  let time: ReturnType<typeof engine.engineTime> | undefined;
  let left = 0;
  const all = stacks.flatMap((stack) => {
    const about: Surroundings = { ...surroundings(stack, containers, place), ...shared };
    const elsewhere = networkElsewhere(stack, stacks, networks);
    const declared = manifestProbes(stack, about, place.catalogue, elsewhere, run);
    left += declared.left;
    return [
      { id: ENGINE, service: "", limitMs: ENGINE_MS, run: () => passed("the container engine answers") },
      clockProbe(async () => (time ??= engine.engineTime()), now, ENGINE_MS),
      ...containerProbes(about),
      ...declared.probes,
    ].map((probe) => ({
      folder: stack.framework.folder,
      probe,
    }));
  });
  let results: readonly Probed[];
  try {
    results = await runProbes(
      all.map(({ probe }) => probe),
      {
        limit: SIDE_BY_SIDE,
        now,
        within: withinMs,
        onDone: (done, count) => {
          live.onProgress(`${String(done)} of ${String(count)} probes`);
        },
      },
    );
  } finally {
    run.guard.end();
  }
  const probed = new Map<string, Probed[]>(stacks.map(({ framework }) => [framework.folder, []]));
  const hides = new Map(stacks.map(({ framework, hide }) => [framework.folder, hide]));
  for (const [index, result] of results.entries()) {
    const folder = all[index]?.folder ?? "";
    // What a server says of a mistake may repeat what it was given.
    probed
      .get(folder)
      ?.push({ ...result, message: (hides.get(folder)?.(result.message) ?? result.message).slice(0, MOST_TEXT) });
  }
  const notes =
    left === 0
      ? []
      : [
          `--read-only: ${left === 1 ? "1 probe that writes something was" : `${String(left)} probes that write something were`} left out`,
        ];
  return { probed, notes };
}

function silent({ framework }: LiveStack): [string, Probed[]] {
  const verdict = unknown("the container engine does not answer, so nothing could be asked", "npm run doctor");
  return [framework.folder, [{ id: ENGINE, service: "", ms: 0, ...verdict }]];
}

/** The engine's containers, once those of the stacks are healthy or the time for that is over. */
async function settled(
  stacks: readonly LiveStack[],
  place: Place,
  { waitSeconds, onProgress }: LiveRequest,
): Promise<readonly engine.Container[] | undefined> {
  const deadline = now() + waitSeconds * 1000;
  for (;;) {
    const containers = await engine.engineContainers();
    if (containers === undefined || now() >= deadline) return containers;
    const states = await Promise.all(
      stacks
        .flatMap((stack) => containerProbes(surroundings(stack, containers, place)))
        .filter(({ id }) => id === "state")
        .map(async ({ run }) => run()),
    );
    const late = states.filter(({ outcome }) => outcome !== "pass").length;
    if (late === 0) return containers;
    onProgress(`waiting for ${String(late)} ${late === 1 ? "service" : "services"}`);
    await pause(1000);
  }
}

function surroundings(
  { framework, compose }: LiveStack,
  containers: readonly engine.Container[],
  { catalogue }: Place,
): Surroundings {
  const { spec, env } = framework;
  const variables = new Map(
    Object.keys(spec.services)
      .flatMap((id): Manifest["containers"] => catalogue.services.get(id)?.containers ?? [])
      .map(({ name, variable }) => [name, `${variable}_MEMORY_LIMIT`]),
  );
  return {
    compose,
    project: projectOf(framework),
    profiles: new Set((env.get("COMPOSE_PROFILES") ?? "").split(",").map((name) => name.trim())),
    containers,
    memory: async () => Promise.resolve(undefined),
    inside: async () => Promise.resolve(undefined),
    isListening,
    memoryVariable: (service) => variables.get(service),
    now,
    limitMs: ENGINE_MS,
  };
}
