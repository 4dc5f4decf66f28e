import { isoTime, machineInfo, now, type MachineInfo } from "../host/machine.ts";
import { UserError } from "../lib/errors.ts";
import { STORED_MODE, type Plan } from "../plan/plan.ts";
import { BASELINE_FILE } from "../plan/state.ts";
import { chosenFrameworks } from "../root/find.ts";
import type { Framework } from "../root/framework.ts";
import { baselineText, readBaseline, type Baseline } from "../store/baseline.ts";
import { readDirectory } from "../store/directory.ts";
import type { Change } from "./change.ts";
import type { MeasuredStack } from "../probes/latency.ts";
import type { Place } from "./place.ts";
import { inSession } from "./session.ts";

/** The baselines of frameworks that are of this machine, and what is to be said of others. */
export function baselinesOf(
  frameworks: readonly Framework[],
  { shown }: Place,
): { baselines: Map<string, Baseline>; notes: string[] } {
  const baselines = new Map<string, Baseline>();
  const notes: string[] = [];
  let machine: MachineInfo | undefined;
  for (const { folder, dir } of frameworks) {
    try {
      const baseline = readBaseline(dir, `${shown}/${folder}`);
      if (baseline === undefined) continue;
      machine ??= machineInfo();
      const { id, cores, memory } = baseline.machine;
      const then = sizeOf(cores, memory);
      const isSame = id === machine.id;
      if (isSame) baselines.set(folder, baseline);
      if (!isSame) notes.push(`${folder}: its baseline was made on another machine (${then}), so nothing is compared`);
      else if (then !== sizeOf(machine.cores, machine.memory))
        notes.push(`${folder}: this machine had ${then} when its baseline was made`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      notes.push(`warning: ${error.message}; ${error.hint}`);
    }
  }
  return { baselines, notes };
}

function sizeOf(cores: number, memory: number): string {
  return `${String(cores)} ${cores === 1 ? "core" : "cores"}, ${(memory / 1024 ** 3).toFixed(0)} GiB of memory`;
}

/**
 * Saves figures as baselines, all in one change, where all that is declared could be measured.
 * @returns what is to be said; and why something could not be saved, by framework
 */
export async function keepBaselines(
  found: ReadonlyMap<string, MeasuredStack>,
  place: Place,
): Promise<{ notes: string[]; problems: ReadonlyMap<string, string> }> {
  const about = { schemaVersion: 1 as const, at: isoTime(now()), machine: machineInfo() };
  const whole = [...found].filter(([, { measures, problems }]) => measures.length > 0 && problems.length === 0);
  const texts = new Map(
    whole.map(([folder, { measures }]) => {
      const figures = Object.fromEntries(measures.map(({ id, p50, p95 }) => [id, { p50, p95 }]));
      return [folder, baselineText({ ...about, measures: figures })];
    }),
  );
  const said = [...found].map(([folder, { problems }]) => {
    if (texts.has(folder)) return `the baseline of ${folder} is in ${place.shown}/${folder}/${BASELINE_FILE}`;
    return problems.length === 0
      ? `${folder} has nothing that can be measured, so it has no baseline`
      : `warning: no baseline was kept for ${folder}, as not everything could be measured`;
  });
  if (texts.size === 0) return { notes: said, problems: new Map() };
  try {
    const notes = await inSession(place, { dry: false }, async (session) => {
      const frameworks = chosenFrameworks(session.root, [...texts.keys()]);
      await session.commit(
        frameworks.map((framework) => changeOf(framework, texts.get(framework.folder) ?? "", place)),
      );
      return session.notes;
    });
    return { notes: [...notes, ...said], problems: new Map() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // What was found stays worth showing.
    const why = `no baseline was kept: ${error.message}; ${error.hint}`;
    return { notes: [], problems: new Map([...texts.keys()].map((folder) => [folder, why])) };
  }
}

/** One file of its own: nothing of what was generated changes. */
function changeOf(framework: Framework, content: string, { shown }: Place): Change {
  const { folder, dir, spec } = framework;
  const disk = readDirectory(dir, [BASELINE_FILE], `${shown}/${folder}`);
  const plan: Plan = {
    framework: folder,
    actions: [],
    writes: new Map([[BASELINE_FILE, { content, mode: STORED_MODE }]]),
    removes: new Set(),
    preconditions: new Map([[BASELINE_FILE, disk.get(BASELINE_FILE)?.sha256 ?? null]]),
  };
  return { folder, framework, spec, plan, disk, secrets: [], visible: new Set(), notes: [] };
}
