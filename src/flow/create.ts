import { join } from "node:path";

import { dotenvValues } from "../env/dotenv.ts";
import { fillSecrets } from "../env/secrets.ts";
import { cappedNote, withCappedCpus } from "../env/cpu-limits.ts";
import { ownInLeftEnv, takenUpEnv } from "../env/left-over.ts";
import { envSections, secretsOf, type Section } from "../env/variables.ts";
import { textOf } from "../host/files.ts";
import { isListening } from "../host/listening.ts";
import { machineCores, machineMemory } from "../host/machine.ts";
import { randomBytes } from "../host/random.ts";
import { planNew, type Plan } from "../plan/plan.ts";
import { stateText } from "../plan/state.ts";
import { givePorts, withPorts } from "../ports/give.ts";
import { render } from "../render/render.ts";
import { MODE } from "../render/tree.ts";
import { memoryReport } from "../render/memory.ts";
import type { Root } from "../root/root.ts";
import { withExternalHosts } from "../root/siblings.ts";
import { refuseTaken } from "../root/taken.ts";
import { normalise, type Normalised } from "../spec/normalise.ts";
import type { Request, Spec } from "../spec/schema.ts";
import type { Change } from "./change.ts";
import { requireNames } from "./road/guards.ts";
import type { Place } from "./place.ts";
import { requireStack, visibleNames } from "./road/plan-change.ts";
import { inSession, type Session } from "./session.ts";

const ENV = ".env";

/** Make a framework. */
export interface CreateRequest extends Request {
  place: Place;
  /** Show what would be written, write nothing. */
  dry: boolean;
}

export interface CreateResult {
  change: Change;
  spec: Spec;
  written: boolean;
  /** Whether an interrupted command had made it, and this one only finished that. */
  wasFinished: boolean;
  notes: readonly string[];
}

/**
 * Makes a framework: everything is checked under the root's lock, then written.
 * @throws UserError for everything that is wrong with the draft or the place
 */
export async function create(request: CreateRequest): Promise<CreateResult> {
  const { place, dry } = request;
  // Most mistakes are refused here, before anything is touched; the rest under the lock, which
  // takes away again what had to be made for it.
  const normalised = normalise(request, place.catalogue);
  return inSession(place, { dry }, async (session) => {
    const finished = finishedCreation(normalised.spec.name, session);
    if (finished !== undefined) return finished;
    const { change, spec } = await planCreation(normalised, session.root, place);
    await session.commit([change]);
    return { change, spec, written: !dry, wasFinished: false, notes: [...session.notes, ...change.notes] };
  });
}

/** The same command typed again after it was killed: what it had decided was finished when this one began. */
function finishedCreation(name: string, { recovered, root, notes }: Session): CreateResult | undefined {
  const framework = root.frameworks.find(({ folder }) => folder === name);
  if (framework === undefined || recovered?.created.includes(name) !== true) return undefined;
  const plan: Plan = { framework: name, actions: [], writes: new Map(), removes: new Set(), preconditions: new Map() };
  const { spec } = framework;
  const change: Change = {
    folder: name,
    framework,
    spec,
    plan,
    disk: new Map(),
    secrets: [],
    visible: new Set(),
    notes: [],
  };
  return {
    change,
    spec,
    written: true,
    wasFinished: true,
    notes: [...notes, `${name}: made with the answers that were given then`],
  };
}

function leftNotes(
  name: string,
  env: string,
  sections: readonly Section[],
  secrets: ReadonlyMap<string, string>,
): string[] {
  const own = ownInLeftEnv(env, sections, secrets);
  return [
    `${name}: the .env that was left is used again, so that its volumes can be opened`,
    ...(own.length === 0 ? [] : [`${name}: .env keeps its own ${own.join(", ")}`]),
  ];
}

/** The whole road for a new framework: draft -> spec -> ports -> render -> plan. */
async function planCreation(
  normalised: Normalised,
  root: Root,
  { catalogue, shown, provenance }: Place,
): Promise<{ change: Change; spec: Spec }> {
  const { name } = normalised.spec;
  const left = refuseTaken(name, root);
  const external = withExternalHosts(normalised.spec, root, catalogue);
  const claims = await root.claims();
  const host = { claims: claims.table, listening: isListening };
  const allocation = await givePorts(external.spec, normalised.typed, host, catalogue);
  const spec = withPorts(external.spec, allocation.ports);

  const sections = envSections(spec, catalogue);
  const env = left ? (textOf(join(root.dir, name, ENV), `${shown}/${name}/${ENV}`) ?? "") : "";
  const secrets = fillSecrets(secretsOf(sections), dotenvValues(env), randomBytes);
  const tree = await render(spec, catalogue, secrets);
  await requireStack(tree, spec, catalogue);
  const cores = machineCores();
  const fresh = left ? takenUpEnv(env, sections, secrets) : (tree.get(ENV)?.content ?? "");
  const { text, capped } = withCappedCpus(fresh, sections, cores);
  if (left) requireNames(text, spec, catalogue, `${shown}/${name}`);
  const { takeUp } = await import("./road/take-up.ts");
  const state = stateText(provenance());
  const plan = left
    ? takeUp(root, name, tree, { before: env, after: text }, state)
    : planNew(name, new Map([...tree, [ENV, { content: text, mode: MODE.secret }]]), state);
  const others = root.frameworks.map((framework) => framework.spec);
  const memory = memoryReport(spec, catalogue, machineMemory(), others);
  const notes = [
    ...(left ? leftNotes(name, env, sections, secrets) : []),
    ...normalised.notes,
    ...external.notes,
    ...[...claims.warnings, ...root.warnings].map((warning) => `warning: ${warning}`),
    ...allocation.notes,
    ...(memory.warning === undefined ? [] : [memory.warning]),
    ...cappedNote(capped, cores),
  ];
  const change: Change = {
    folder: name,
    framework: undefined,
    spec,
    plan,
    disk: new Map(),
    secrets: [...secrets.values()],
    visible: visibleNames(sections),
    notes,
  };
  return { change, spec };
}
