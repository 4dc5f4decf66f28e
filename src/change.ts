import type { Catalogue } from "./catalogue/catalogue.ts";
import { EXIT, UserError } from "./errors.ts";
import { isBuiltIn, type Place } from "./pipeline.ts";
import { overriddenIn, renderedValues, updateEnv } from "./plan/env.ts";
import type { Plan } from "./plan/plan.ts";
import { basePath, offeredPath } from "./plan/state.ts";
import { planUpdate, withEdited, type Decision } from "./plan/update.ts";
import type { Disk } from "./plan/disk.ts";
import { COMPOSE_FILE } from "./ports/compose.ts";
import { readDirectory, readFiles } from "./probe/disk.ts";
import { engineVolumes } from "./probe/engine.ts";
import { entriesOf } from "./probe/files.ts";
import { effectiveName, SPEC_FILE, type Framework } from "./probe/framework.ts";
import { envSections, secretsOf } from "./render/env.ts";
import { render } from "./render/render.ts";
import type { Tree } from "./render/tree.ts";
import { fillSecrets } from "./secrets.ts";
import { dotenvValues } from "./spec/dotenv.ts";
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
  const specText = spec === framework.spec ? framework.specText : await editedSpec(wanted, `${shown}/${SPEC_FILE}`);
  const files = await planUpdate({
    framework: framework.folder,
    previous,
    next,
    disk,
    edited: new Map([[SPEC_FILE, { content: specText, mode: 0o644 }]]),
    decide: wanted.decide ?? (() => undefined),
  });

  const rendered = renderedValues([
    disk.get(basePath(ENV_TEMPLATE))?.text,
    disk.get(offeredPath(ENV_TEMPLATE))?.text,
    ...(previous === undefined ? [] : [previous.get(ENV_TEMPLATE)?.content]),
  ]);
  const text = disk.get(ENV)?.text;
  if (text === undefined) requireNoVolumes(framework, place);
  const before = upgrade ? undefined : envSections(framework.spec, catalogue);
  const env =
    text === undefined
      ? (next.get(ENV)?.content ?? "")
      : updateEnv({ text, rendered, after, before, secrets, mayGo: mayGo(framework, files, catalogue, shown) });
  const plan = withEdited(files, disk, ENV, { content: env, mode: 0o600 });
  const notes = upgrade ? await imageNotes(plan, disk, dotenvValues(env), catalogue) : [];
  const overrides = overriddenIn({ text: env, rendered, after, secrets });
  return {
    framework,
    spec,
    plan,
    disk,
    next,
    secrets: [...secrets.values()],
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
  const [before, after] = [disk.get(COMPOSE)?.text, plan.writes.get(COMPOSE)?.content];
  if (before === undefined || after === undefined) return [];
  const { judgeImages } = await import("./plan/images.ts");
  const containers = [...catalogue.services.values()].flatMap((service) => service.containers);
  return judgeImages(before, after, env, containers);
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
function requireNoVolumes(framework: Framework, { catalogue, shown }: Place): void {
  const prefix = underscored(framework.name);
  const own = new Set(
    [...catalogue.services.values()].flatMap(({ volumes }) => volumes.map(({ name }) => `${prefix}_${name}`)),
  );
  const found = (engineVolumes() ?? []).filter((name) => own.has(name));
  if (found.length === 0) return;
  throw new UserError(
    `${shown}/${framework.folder}/.env is missing, and volumes of this framework exist (${found.join(", ")}): new secrets would not open their data`,
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
    const names = (entriesOf(framework.dir) ?? [])
      .filter((entry) => COMPOSE_FILE.test(entry.name))
      .map(({ name }) => name);
    const now = readFiles(framework.dir, names, shown);
    return names.map((name) => plan.writes.get(name)?.content ?? now.get(name)?.text ?? "");
  };
  return (name) => {
    if (!managed.has(name)) return false;
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
