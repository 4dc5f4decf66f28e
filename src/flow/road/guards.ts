import { underscored } from "../../catalogue/names.ts";
import type { Catalogue } from "../../catalogue/catalogue.ts";
import { COMPOSE, isComposeFile } from "../../compose/file.ts";
import { parseDotenv } from "../../env/dotenv.ts";
import { nameProblems } from "../../env/unique-names.ts";
import { engineVolumes } from "../../host/engine.ts";
import { entriesOf } from "../../host/files.ts";
import { EXIT, problemsError, UserError } from "../../lib/errors.ts";
import { quotedForShell } from "../../lib/shell.ts";
import type { Disk } from "../../plan/disk.ts";
import type { Plan } from "../../plan/plan.ts";
import { effectiveName, SPEC_FILE, type Framework } from "../../root/framework.ts";
import type { Spec } from "../../spec/schema.ts";
import { readFiles } from "../../store/directory.ts";
import type { Place } from "../place.ts";
import { FORMER_REGISTRY } from "./images.ts";

const ENV = ".env";

/**
 * What was read first must be what is planned from.
 * @throws UserError exit 1 when somebody edited an input meanwhile, exit 2 when `.env` cannot be read without doubt
 */
export function requireUnchanged(framework: Framework, disk: Disk, shown: string): void {
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
      "close the quote, or remove it",
    );
  });
}

/** @throws UserError exit 2 when bytes that are no text would be lost by writing a file again */
export function requireText(plan: Plan, disk: Disk, shown: string): void {
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

/** @throws UserError exit 2 for names in `.env` that a manifest reserves, or that must differ and do not */
export function requireNames(env: string, spec: Spec, { services }: Catalogue, shown: string): void {
  const file = `${shown}/${ENV}`;
  const entries = Object.keys(spec.services).flatMap((id) => services.get(id)?.env ?? []);
  const problems = nameProblems(env, entries).map((problem) => ({ ...problem, file }));
  if (problems.length > 0)
    throw problemsError(
      `${file} cannot be used`,
      problems,
      "give each a name of its own; what exists in the database is renamed there first",
    );
}

/** Compose reads other files beside compose.yaml. @throws UserError exit 2 when one needs a service that would go */
export async function requireOthersWhole(framework: Framework, plan: Plan, disk: Disk, shown: string): Promise<void> {
  const after = plan.writes.get(COMPOSE)?.content;
  if (after === undefined) return;
  const others = composeFiles(framework).filter((name) => name !== COMPOSE);
  if (others.length === 0) return;
  const { parseCompose } = await import("../../compose/parse.ts");
  const { neededBy } = await import("../../compose/model.ts");
  const kept = parseCompose(after)?.services;
  const before = parseCompose(disk.get(COMPOSE)?.text ?? "")?.services ?? new Map<string, unknown>();
  const gone = new Set([...before.keys()].filter((name) => kept?.has(name) !== true));
  if (gone.size === 0) return;
  const problems = [...readFiles(framework.dir, others, shown)].flatMap(([name, { text }]) => {
    const compose = parseCompose(text);
    if (compose === undefined) return [];
    const file = `${shown}/${name}`;
    return [
      ...neededBy(compose, gone).map(({ by, service }) => ({
        file,
        key: `services.${by}`,
        message: `needs ${service}`,
      })),
      ...[...compose.services.keys()]
        .filter((service) => gone.has(service))
        .map((service) => ({
          file,
          key: `services.${service}`,
          message: "belongs to a service that would be removed",
        })),
    ];
  });
  if (problems.length > 0)
    throw problemsError(
      `other files of ${shown} still use services that would be removed`,
      problems,
      "remove that first: the file is yours",
    );
}

/** Names of the compose files in a framework's directory. */
function composeFiles({ dir }: Framework): string[] {
  return (entriesOf(dir) ?? []).map(({ name }) => name).filter(isComposeFile);
}

/**
 * New secrets would not open data that is there already.
 * @throws UserError exit 1 when the engine has volumes of this framework; without an engine nobody can know
 */
export function requireNoVolumes(framework: Framework, { catalogue, shown }: Place, what: string): void {
  // `.env` may say another name than the spec; without it, only the spec's is known.
  const prefixes = new Set([underscored(framework.name), effectiveName(framework)]);
  const volumes = [...catalogue.services.values()].flatMap((service) => service.volumes);
  const own = new Set([...prefixes].flatMap((prefix) => volumes.map(({ name }) => `${prefix}_${name}`)));
  const found = (engineVolumes() ?? []).filter((name) => own.has(name));
  if (found.length === 0) return;
  throw new UserError(
    `${shown}/${framework.folder}/.env ${what}, and volumes of this framework exist (${found.join(", ")}): new secrets would not open their data`,
    {
      code: "env-missing",
      exit: EXIT.failure,
      hint: `put the old .env back; or, if that data is not needed: docker volume rm ${found.map(quotedForShell).join(" ")}`,
    },
  );
}

/** Whether a variable that is not needed any more may leave `.env`: it is managed, and no compose file here names it. */
export function mayLeaveEnv(
  framework: Framework,
  plan: Plan,
  catalogue: Catalogue,
  shown: string,
): (name: string) => boolean {
  const managed = new Set([
    FORMER_REGISTRY,
    ...[...catalogue.services.values()].flatMap(({ env, external, port }) => [
      ...[...env, ...(external?.env ?? [])].filter((entry) => entry.class === "managed").map(({ name }) => name),
      ...(port === undefined ? [] : [port.variable]),
    ]),
  ]);
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
