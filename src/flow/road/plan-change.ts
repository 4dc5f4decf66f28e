import { quotedForShell } from "../../lib/shell.ts";
import type { Catalogue } from "../../catalogue/catalogue.ts";
import { COMPOSE } from "../../compose/file.ts";
import { cappedNote, withCappedCpus } from "../../env/cpu-limits.ts";
import { dotenvValues } from "../../env/dotenv.ts";
import { fillSecrets } from "../../env/secrets.ts";
import { lazily, overriddenIn, renderedValues, updateEnv, type Rendered } from "../../env/update.ts";
import { envSections, managedNames, secretsOf, type Section } from "../../env/variables.ts";
import { machineCores } from "../../host/machine.ts";
import { randomBytes } from "../../host/random.ts";
import type { Settle } from "../../merge/values.ts";
import type { Disk } from "../../plan/disk.ts";
import { withEdited, type Plan } from "../../plan/plan.ts";
import { basePath, incomingPath, offeredPath, STATE_FILE, stateText } from "../../plan/state.ts";
import { planUpdate, type Decision } from "../../plan/update.ts";
import { isBuiltIn } from "../../render/engine.ts";
import { render } from "../../render/render.ts";
import { MODE, type Tree } from "../../render/tree.ts";
import { effectiveName, SPEC_FILE, type Framework } from "../../root/framework.ts";
import type { Spec } from "../../spec/schema.ts";
import { isReadableByOthers, readDirectory } from "../../store/directory.ts";
import type { Change } from "../change.ts";
import type { Place } from "../place.ts";
import { digestNotes, FORMER_REGISTRY } from "./images.ts";
import { requireNoDowngrade } from "./provenance.ts";
import {
  mayLeaveEnv,
  requireNoVolumes,
  requireOthersWhole,
  requireNames,
  requireText,
  requireUnchanged,
} from "./guards.ts";

/** What a use case wants of a framework that is there. */
export interface Wanted {
  framework: Framework;
  /** The spec to bring it to. */
  spec: Spec;
  /** Whether pending updates of the templates are taken as well; else the change of the spec alone. */
  upgrade: boolean;
  decide?: ((path: string) => Decision | undefined) | undefined;
  /** Whether nothing will be written, so that no engine is asked for volumes that new secrets would not open. */
  isCheck?: boolean | undefined;
}

/** A planned change of a framework that is there, with what only some use cases look at. */
export interface PlannedChange extends Change {
  framework: Framework;
  spec: Spec;
  /** What the spec gives with today's templates. */
  next: Tree;
  /** Variables that `.env` gives a value of the user's own. */
  overrides: readonly string[];
  /** Whether `.env` is there and lacks a secret that was rendered before. */
  lacksSecrets: boolean;
}

const ENV = ".env";
const ENV_TEMPLATE = ".env.template";

/**
 * The road for a framework that is there, without a write: spec -> render -> plan.
 * @throws UserError for what cannot be done
 */
export async function planChange(wanted: Wanted, place: Place): Promise<PlannedChange> {
  const { framework, spec, upgrade } = wanted;
  const { catalogue } = place;
  const { folder } = framework;
  const shown = `${place.shown}/${folder}`;
  const after = envSections(spec, catalogue);
  const secrets = new Map([
    ...keptSecrets(framework, catalogue),
    ...fillSecrets(secretsOf(after), framework.env, randomBytes),
  ]);
  const next = await render(spec, catalogue, secrets);
  await requireStack(next, spec, catalogue);
  const previous = upgrade ? undefined : await render(framework.spec, catalogue, secrets);
  const disk = readDirectory(framework.dir, [...next.keys(), ...(previous?.keys() ?? [])], shown);
  requireUnchanged(framework, disk, shown);
  const state = disk.get(STATE_FILE)?.text;
  const origin = requireNoDowngrade(state, shown, upgrade, place);
  const specText =
    spec === framework.spec ? framework.specText : await editedSpec(wanted, `${shown}/${SPEC_FILE}`, place);
  const decide = wanted.decide ?? ((): undefined => undefined);
  const files = await planUpdate({
    framework: folder,
    previous,
    next,
    disk,
    decide,
    settle: async () => settler(catalogue),
    recordsState: origin.goesBack,
    state: () => (origin.stays ? (state ?? "") : stateText(place.provenance())),
  });

  const rendered = renderedBefore(disk, previous, spec.registry === framework.spec.registry ? undefined : framework);
  const text = disk.get(ENV)?.text;
  // A secret that was rendered before and is not there any more may be the one that opens a volume.
  const lacks = secretsOf(after).some(({ name }) => (framework.env.get(name) ?? "") === "" && rendered.has(name));
  if (wanted.isCheck !== true && (text === undefined || lacks))
    requireNoVolumes(framework, place, text === undefined ? "is missing" : "lacks secrets");
  const before = upgrade ? undefined : envSections(framework.spec, catalogue);
  const mayGo = mayLeaveEnv(framework, files, catalogue, shown);
  const updated =
    text === undefined ? (next.get(ENV)?.content ?? "") : updateEnv({ text, rendered, after, before, secrets, mayGo });
  const cores = machineCores();
  // What another host would be given is no business of a check.
  const { text: env, capped } =
    wanted.isCheck === true ? { text: updated, capped: [] } : withCappedCpus(updated, after, cores);
  const inputs = withEdited(files, disk, SPEC_FILE, { content: specText, mode: MODE.file }, "the spec changed");
  const isCapped = capped.length > 0 && updated === text;
  const why = isCapped
    ? "its CPU limits are capped for this host"
    : lacks
      ? "it lacked secrets"
      : upgrade
        ? "the spec or the templates changed"
        : "the spec changed";
  const plan = withEdited(inputs, disk, ENV, { content: env, mode: MODE.secret }, why);
  requireText(plan, disk, shown);
  if (text !== undefined) requireNames(env, spec, catalogue, shown);
  await requireOthersWhole(framework, plan, disk, shown);
  const notes = [
    ...(origin.stays || plan.writes.has(STATE_FILE) ? origin.notes : []),
    ...(upgrade ? await imageNotes(plan, disk, env, catalogue) : []),
    ...(text === undefined ? [] : readableEnv(framework, shown)),
    ...renamed(framework, env),
    ...cappedNote(capped, cores),
    ...digestNotes(spec, catalogue, shown),
  ];
  const overrides = overriddenIn({ text: env, rendered, after, secrets });
  return {
    folder,
    framework,
    spec,
    plan,
    disk,
    next,
    secrets: [...secrets.values(), ...namedSecrets(framework.env)],
    visible: visibleNames(after, overrides),
    notes,
    overrides,
    lacksSecrets: text !== undefined && lacks,
  };
}

/** Values of the user's own variables whose names say that they are secret, and passwords in URLs. */
function namedSecrets(env: ReadonlyMap<string, string>): string[] {
  return [...env].flatMap(([name, value]) => {
    const password = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s]*?:([^/@\s]+)@/i.exec(value)?.[1];
    const isNamed = /KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|PRIVATE|AUTH|DSN/i.test(name);
    // A switch or a small number is no secret, and hiding each of them in a file says more than it hides.
    const isPlain = /^(?:true|false|yes|no|on|off|none|\d{1,5})$/i.test(value);
    return [...(isNamed && !isPlain ? [value] : []), ...(password === undefined ? [] : [password])];
  });
}

/** Variables of `.env` whose values may be shown: what follows the spec, where nobody changed it. */
export function visibleNames(sections: readonly Section[], overrides: readonly string[] = []): Set<string> {
  return new Set([...managedNames(sections)].filter((name) => !overrides.includes(name)));
}

async function settler({ services }: Catalogue): Promise<Settle> {
  const { imageSettler } = await import("../../compose/newer-image.ts");
  return imageSettler([...services.values()].flatMap(({ containers }) => containers));
}

// The same services with the same choices give the same stack, whatever the framework's name.
const checked = new WeakMap<Catalogue, Set<string>>();

/**
 * Templates of somebody's own are checked for more than that they render.
 * @throws UserError exit 2 when they give a stack that cannot start
 */
export async function requireStack(tree: Tree, spec: Spec, catalogue: Catalogue): Promise<void> {
  if (isBuiltIn(catalogue.templates)) return;
  const text = tree.get(COMPOSE)?.content ?? "";
  const key = text.replaceAll(spec.name, "\0");
  const known = checked.get(catalogue) ?? new Set();
  if (known.has(key)) return;
  const { checkStack } = await import("../../render/check.ts");
  checkStack(tree, spec, catalogue);
  checked.set(catalogue, known.add(key));
}

/** The values in `.env` that nobody changed, read when they are needed. @param moving whose registry goes to the spec */
function renderedBefore(disk: Disk, previous: Tree | undefined, moving: Framework | undefined): Rendered {
  return lazily(() => {
    const values = renderedValues([
      disk.get(basePath(ENV_TEMPLATE))?.text,
      disk.get(offeredPath(ENV_TEMPLATE))?.text,
      ...(previous === undefined ? [] : [previous.get(ENV_TEMPLATE)?.content]),
    ]);
    // Once it is in framework.yaml, its line may go.
    if (moving !== undefined) values.set(FORMER_REGISTRY, new Set([moving.env.get(FORMER_REGISTRY) ?? ""]));
    return values;
  });
}

/** Secrets of any service that `.env` holds, also of those that were removed: nothing of them is printed or lost. */
function keptSecrets({ env }: Framework, { services, commonEnv }: Catalogue): [string, string][] {
  const entries = [...services.values()].flatMap((service) => [...service.env, ...(service.external?.env ?? [])]);
  return [...commonEnv, ...entries].flatMap((entry) => {
    const value = entry.class === "secret" ? env.get(entry.name) : undefined;
    return value === undefined || value === "" ? [] : [[entry.name, value]];
  });
}

async function editedSpec({ framework, spec }: Wanted, file: string, { catalogue }: Place): Promise<string> {
  // Loaded only here: it brings the YAML library.
  const { editSpecFile } = await import("../../plan/spec-file.ts");
  return editSpecFile(framework.specText, file, framework.spec, spec, catalogue);
}

/** What an update means for the images that run, and for services of the user's own. @throws UserError exit 1 when data would be left behind */
async function imageNotes(plan: Plan, disk: Disk, env: string, catalogue: Catalogue): Promise<string[]> {
  // What is only offered beside a file in conflict would run as well, once somebody takes it.
  const after = (plan.writes.get(COMPOSE) ?? plan.writes.get(incomingPath(COMPOSE)))?.content;
  const before = disk.get(COMPOSE)?.text;
  if (before === undefined || after === undefined) return [];
  const { judgeImages } = await import("../../compose/images.ts");
  const { lostNeighbours } = await import("../../compose/neighbours.ts");
  const containers = [...catalogue.services.values()].flatMap((service) => service.containers);
  const isMerged = plan.actions.some(({ path, action }) => path === COMPOSE && action === "merge");
  return [
    ...judgeImages(before, after, dotenvValues(env), containers),
    ...(isMerged ? lostNeighbours(before, after, new Set(containers.map(({ name }) => name))) : []),
  ];
}

function readableEnv({ dir }: Framework, shown: string): string[] {
  if (!isReadableByOthers(dir, ENV)) return [];
  return [`warning: ${shown}/${ENV} can be read by others: chmod 600 ${quotedForShell(`${shown}/${ENV}`)}`];
}

function renamed(framework: Framework, env: string): string[] {
  const now = dotenvValues(env).get("FRAMEWORK_NAME");
  const before = effectiveName(framework);
  if (now === undefined || now === before || !framework.env.has("FRAMEWORK_NAME")) return [];
  return [
    `warning: FRAMEWORK_NAME changes from ${before} to ${now}: the containers and volumes of that name are new and empty. Those of ${before} stay, with their data. Stop them first: docker compose -p ${quotedForShell(before)} down`,
  ];
}
