import type { Catalogue } from "./catalogue/catalogue.ts";
import { EXIT, problemsError, UserError } from "./errors.ts";
import { isBuiltIn, type Place } from "./pipeline.ts";
import { lazily, overriddenIn, renderedValues, updateEnv } from "./plan/env.ts";
import { withEdited, type Plan } from "./plan/plan.ts";
import { basePath, incomingPath, offeredPath } from "./plan/state.ts";
import { planUpdate, type Decision } from "./plan/update.ts";
import type { Disk } from "./plan/disk.ts";
import { COMPOSE_FILE } from "./ports/compose.ts";
import { isReadable, readDirectory, readFiles } from "./probe/disk.ts";
import { engineVolumes } from "./probe/engine.ts";
import { entriesOf } from "./probe/files.ts";
import { effectiveName, SPEC_FILE, type Framework } from "./probe/framework.ts";
import { envSections, managedNames, secretsOf } from "./render/env.ts";
import { render } from "./render/render.ts";
import type { Tree } from "./render/tree.ts";
import { fillSecrets } from "./secrets.ts";
import { dotenvValues, parseDotenv } from "./spec/dotenv.ts";
import { underscored } from "./spec/names.ts";
import type { Spec } from "./spec/schema.ts";

/** What a command wants of one framework. */
export interface Wanted {
  framework: Framework;
  /** The spec to bring it to. */
  spec: Spec;
  /** Whether pending updates of the templates are taken as well; else the change of the spec alone. */
  upgrade: boolean;
  decide?: ((path: string) => Decision | undefined) | undefined;
}

/** Everything that is known before something is written. */
export interface Change {
  framework: Framework;
  spec: Spec;
  plan: Plan;
  disk: Disk;
  /** What the spec gives with today's templates. */
  next: Tree;
  /** Secret values, to keep them out of what is printed. */
  secrets: readonly string[];
  /** Variables of `.env` whose values may be shown: managed ones that nobody changed. */
  visible: ReadonlySet<string>;
  notes: readonly string[];
  /** Variables that `.env` gives a value of the user's own. */
  overrides: readonly string[];
}

const ENV = ".env";
const ENV_TEMPLATE = ".env.template";
const COMPOSE = "compose.yaml";

/**
 * The road for a framework that is there, without a write: spec -> render -> plan.
 * @throws UserError for what cannot be done
 */
export async function prepareChange(wanted: Wanted, place: Place): Promise<Change> {
  const { framework, spec, upgrade } = wanted;
  const { catalogue, precompiled } = place;
  const shown = `${place.shown}/${framework.folder}`;
  const after = envSections(spec, catalogue);
  const secrets = new Map([...keptSecrets(framework, catalogue), ...fillSecrets(secretsOf(after), framework.env)]);
  const next = await render(spec, catalogue, secrets, precompiled);
  if (!isBuiltIn(place)) {
    const { checkStack } = await import("./render/check.ts");
    checkStack(next, spec, catalogue);
  }
  const previous = upgrade ? undefined : await render(framework.spec, catalogue, secrets, precompiled);
  const disk = readDirectory(framework.dir, [...next.keys(), ...(previous?.keys() ?? [])], shown);
  requireUnchanged(framework, disk, shown);
  const specText = spec === framework.spec ? framework.specText : await editedSpec(wanted, `${shown}/${SPEC_FILE}`);
  const files = await planUpdate({
    framework: framework.folder,
    previous,
    next,
    disk,
    decide: wanted.decide ?? (() => undefined),
  });

  const rendered = lazily(() =>
    renderedValues([
      disk.get(basePath(ENV_TEMPLATE))?.text,
      disk.get(offeredPath(ENV_TEMPLATE))?.text,
      ...(previous === undefined ? [] : [previous.get(ENV_TEMPLATE)?.content]),
    ]),
  );
  const text = disk.get(ENV)?.text;
  // A secret that was rendered before and is not there any more may be the one that opens a volume.
  const lost = secretsOf(after).some(({ name }) => (framework.env.get(name) ?? "") === "" && rendered.has(name));
  if (text === undefined || lost)
    requireNoVolumes(framework, place, text === undefined ? "is missing" : "lacks secrets");
  const before = upgrade ? undefined : envSections(framework.spec, catalogue);
  const env =
    text === undefined
      ? (next.get(ENV)?.content ?? "")
      : updateEnv({ text, rendered, after, before, secrets, mayGo: mayGo(framework, files, catalogue, shown) });
  const inputs = withEdited(files, disk, SPEC_FILE, { content: specText, mode: 0o644 });
  const plan = withEdited(inputs, disk, ENV, { content: env, mode: 0o600 });
  requireText(plan, disk, shown);
  await requireOthersWhole(framework, plan, disk, shown);
  const notes = upgrade ? await imageNotes(plan, disk, dotenvValues(env), catalogue) : [];
  if (text !== undefined && isReadable(framework.dir, ENV))
    notes.push(`warning: ${shown}/${ENV} can be read by others: chmod 600 ${shown}/${ENV}`);
  if (previous !== undefined && !disk.has(COMPOSE)) {
    notes.push(
      `warning: ${shown}/${COMPOSE} was deleted, so nothing of this is in it; to get it back: rm ${shown}/${basePath(COMPOSE)}, then npm run regenerate`,
    );
  }
  const overrides = overriddenIn({ text: env, rendered, after, secrets });
  return {
    framework,
    spec,
    plan,
    disk,
    next,
    secrets: [...secrets.values()],
    visible: new Set([...managedNames(after)].filter((name) => !overrides.includes(name))),
    notes: [...notes, ...renamed(framework, env)],
    overrides,
  };
}

/** Secrets of any service that `.env` holds, also of those that were removed: nothing of them is printed or lost. */
function keptSecrets({ env }: Framework, { services, commonEnv }: Catalogue): [string, string][] {
  const entries = [...services.values()].flatMap((service) => [...service.env, ...(service.external?.env ?? [])]);
  return [...commonEnv, ...entries].flatMap((entry) => {
    const value = entry.class === "secret" ? env.get(entry.name) : undefined;
    return value === undefined || value === "" ? [] : [[entry.name, value]];
  });
}

async function editedSpec({ framework, spec }: Wanted, file: string): Promise<string> {
  // Loaded only here: it brings the YAML library.
  const { editSpecFile } = await import("./plan/spec-file.ts");
  return editSpecFile(framework.specText, file, framework.spec, spec);
}

/** What an update means for the images that run. @throws UserError exit 1 when data would be left behind */
async function imageNotes(
  plan: Plan,
  disk: Disk,
  env: ReadonlyMap<string, string>,
  catalogue: Catalogue,
): Promise<string[]> {
  // What is only offered beside a file in conflict would run as well, once somebody takes it.
  const after = (plan.writes.get(COMPOSE) ?? plan.writes.get(incomingPath(COMPOSE)))?.content;
  const before = disk.get(COMPOSE)?.text;
  if (before === undefined || after === undefined) return [];
  const { judgeImages } = await import("./plan/images.ts");
  const containers = [...catalogue.services.values()].flatMap((service) => service.containers);
  return judgeImages(before, after, env, containers);
}

/**
 * What was read first must be what is planned from.
 * @throws UserError exit 1 when somebody edited an input meanwhile, exit 2 when `.env` cannot be read without doubt
 */
function requireUnchanged(framework: Framework, disk: Disk, shown: string): void {
  for (const [path, text] of [[SPEC_FILE, framework.specText] as const, [ENV, framework.envText] as const]) {
    if (disk.get(path)?.text === text) continue;
    throw new UserError(`${shown}/${path} changed while this command was running; nothing was written`, {
      code: "changed",
      exit: EXIT.failure,
      hint: "run the command again",
    });
  }
  const env = framework.envText ?? "";
  parseDotenv(env, (offset) => {
    const file = `${shown}/${ENV}`;
    const line = env.slice(0, offset).split("\n").length;
    throw problemsError(
      file,
      [{ file, line, message: "a quote is opened and never closed" }],
      "close it, or take it out",
    );
  });
}

/** @throws UserError exit 2 when bytes that are no text would be lost by writing a file again */
function requireText(plan: Plan, disk: Disk, shown: string): void {
  for (const path of [ENV, SPEC_FILE]) {
    if (!plan.writes.has(path) || disk.get(path)?.exact !== false) continue;
    const file = `${shown}/${path}`;
    throw problemsError(
      file,
      [{ file, message: "is not UTF-8 text, so it cannot be edited without loss" }],
      "save it as UTF-8",
    );
  }
}

/** Compose reads other files beside compose.yaml. @throws UserError exit 2 when one needs a service that would go */
async function requireOthersWhole(framework: Framework, plan: Plan, disk: Disk, shown: string): Promise<void> {
  const after = plan.writes.get(COMPOSE)?.content;
  if (after === undefined) return;
  const others = composeFiles(framework).filter((name) => name !== COMPOSE);
  if (others.length === 0) return;
  const { neededBy, serviceNames } = await import("./plan/merge/compose.ts");
  const { parseForeignYaml } = await import("./spec/yaml.ts");
  const kept = new Set(serviceNames(parseForeignYaml(after)));
  const gone = new Set(serviceNames(parseForeignYaml(disk.get(COMPOSE)?.text ?? "")).filter((name) => !kept.has(name)));
  if (gone.size === 0) return;
  const problems = [...readFiles(framework.dir, others, shown)].flatMap(([name, { text }]) => {
    const doc = parseForeignYaml(text);
    const file = `${shown}/${name}`;
    return [
      ...neededBy(doc, gone).map(({ by, service }) => ({ file, key: `services.${by}`, message: `needs ${service}` })),
      ...serviceNames(doc)
        .filter((service) => gone.has(service))
        .map((service) => ({ file, key: `services.${service}`, message: "belongs to a service that would go" })),
    ];
  });
  if (problems.length > 0)
    throw problemsError(`other files of ${shown} need what would go`, problems, "take that out first: it is yours");
}

/** Names of the compose files in a framework's directory. */
function composeFiles({ dir }: Framework): string[] {
  return (entriesOf(dir) ?? []).map(({ name }) => name).filter((name) => COMPOSE_FILE.test(name));
}

/** The ports that were last generated, by service id, where they are known. */
export function renderedPorts(framework: Framework, catalogue: Catalogue): Map<string, number> {
  const path = basePath(ENV_TEMPLATE);
  const values = renderedValues([readFiles(framework.dir, [path], framework.folder).get(path)?.text]);
  return new Map(
    [...catalogue.services.values()].flatMap(({ id, port }) => {
      const [text] = values.get(port?.variable ?? "") ?? [];
      return text === undefined || !/^\d+$/.test(text) ? [] : [[id, Number(text)]];
    }),
  );
}

/**
 * New secrets would not open data that is there already.
 * @throws UserError exit 1 when the engine has volumes of this framework; without an engine nobody can know
 */
function requireNoVolumes(framework: Framework, { catalogue, shown }: Place, what: string): void {
  const prefix = underscored(framework.name);
  const own = new Set(
    [...catalogue.services.values()].flatMap(({ volumes }) => volumes.map(({ name }) => `${prefix}_${name}`)),
  );
  const found = (engineVolumes() ?? []).filter((name) => own.has(name));
  if (found.length === 0) return;
  throw new UserError(
    `${shown}/${framework.folder}/.env ${what}, and volumes of this framework exist (${found.join(", ")}): new secrets would not open their data`,
    {
      code: "env-missing",
      exit: EXIT.failure,
      hint: `put the old .env back; or, when that data may go: docker volume rm ${found.join(" ")}`,
    },
  );
}

/** A variable that is not needed any more may leave `.env` when it is managed, and no compose file here names it. */
function mayGo(framework: Framework, plan: Plan, catalogue: Catalogue, shown: string): (name: string) => boolean {
  const managed = new Set(
    [...catalogue.services.values()].flatMap(({ env, external, port }) => [
      ...[...env, ...(external?.env ?? [])].filter((entry) => entry.class === "managed").map(({ name }) => name),
      ...(port === undefined ? [] : [port.variable]),
    ]),
  );
  let texts: string[] | undefined;
  const composeTexts = (): string[] => {
    const names = composeFiles(framework);
    const now = readFiles(framework.dir, names, shown);
    return names.map((name) => plan.writes.get(name)?.content ?? now.get(name)?.text ?? "");
  };
  // Where a file is in conflict, the stack works on as it was.
  const open = plan.actions.some(({ action }) => action === "conflict");
  return (name) => {
    if (open || !managed.has(name)) return false;
    texts ??= composeTexts();
    return !texts.some((text) => new RegExp(`\\b${name}\\b`).test(text));
  };
}

function renamed(framework: Framework, env: string): string[] {
  const now = dotenvValues(env).get("FRAMEWORK_NAME");
  const before = effectiveName(framework);
  if (now === undefined || now === before || !framework.env.has("FRAMEWORK_NAME")) return [];
  return [
    `warning: FRAMEWORK_NAME changes from ${before} to ${now}: its containers and volumes are new and empty; those of ${before} stay, with their data. Stop them before: docker compose -p ${before} down`,
  ];
}

/** Names of the volumes that a set of services has, as the engine knows them. */
export function volumesOf(framework: Framework, ids: readonly string[], catalogue: Catalogue): string[] {
  const name = effectiveName(framework);
  return ids.flatMap((id) => (catalogue.services.get(id)?.volumes ?? []).map((volume) => `${name}_${volume.name}`));
}
