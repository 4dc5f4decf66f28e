import { prepareChange, volumesOf } from "../change.ts";
import { requireComplete } from "../complete.ts";
import { EXIT, usageError, UserError, type ExitCode } from "../errors.ts";
import type { Place } from "../pipeline.ts";
import { parseForeignYaml } from "../spec/yaml.ts";
import { incomingPath } from "../plan/state.ts";
import { neededBy } from "../plan/merge/compose.ts";
import { readFiles } from "../probe/disk.ts";
import type { Framework } from "../probe/framework.ts";
import type { Root } from "../probe/root.ts";
import type { Spec } from "../spec/schema.ts";
import { dependants, withoutService } from "../spec/services.ts";
import { SETTLE_HINT } from "./change-report.ts";
import { findFramework } from "./choose.ts";
import { openPlace, type Context } from "./context.ts";
import { changeOne, type Prepared } from "./one-change.ts";
import { completeChoice, givenChoice, type ServiceChoice } from "./service-choice.ts";

export const help = `Usage: npm run remove-service [SERVICE] [FRAMEWORK]
       npm run remove-service -- [SERVICE] [FRAMEWORK] [flags]
       framework-infra remove-service [SERVICE] [FRAMEWORK] [flags]

Takes a service out of a framework, and what came for it alone. Refuses while another service needs it. Volumes are
never deleted: it says which ones remain. Its secrets stay in .env, so that adding it again opens the old data.

  --yes            ask nothing
  --dry-run        show the plan, write nothing
  --diff           show the changes as a unified diff, secrets redacted; writes nothing
  --root DIR       where frameworks live (default frameworks)
  --templates DIR  use these templates instead of the built-in ones
  --json           print the plan as JSON

Examples:
  npm run remove-service qdrant
  npm run remove-service langfuse crewai
  npm run remove-service -- langfuse crewai --dry-run
`;

const COMPOSE = "compose.yaml";

export async function run(context: Context): Promise<ExitCode> {
  const place = await openPlace(context);
  const given = await givenChoice(context, place);
  const choice = completeChoice(given, context, "remove");
  if (choice !== undefined) return removeService(context, place, choice);
  const { runGenerator } = await import("../../generators/host.ts");
  const { removeServiceGenerator } = await import("../../generators/service.ts");
  return runGenerator(removeServiceGenerator({ context, place, given }));
}

/** Removes the service, or shows what would be done. Also what the Plop generator's action calls. */
export async function removeService(context: Context, place: Place, choice: ServiceChoice): Promise<ExitCode> {
  return changeOne(context, place, (root) => prepare(place, choice, root));
}

async function prepare(place: Place, { service, framework: name }: ServiceChoice, root: Root): Promise<Prepared> {
  const framework = findFramework(root, name, place.shown);
  const { folder, spec } = framework;
  const shown = `${place.shown}/${folder}`;
  if (!Object.hasOwn(spec.services, service)) {
    const known = Object.keys(spec.services).join(", ");
    if (place.catalogue.services.has(service)) return { folder, nothing: `${shown} has no ${service}; nothing to do` };
    throw usageError(
      `"${service.slice(0, 60)}" is not a service of ${shown}`,
      `there are: ${known}`,
      [],
      "unknown-service",
    );
  }
  requireComplete(framework, place);
  refuseNeeded(spec, service, shown, place);
  const wanted = withoutService(spec, service, place.catalogue);
  if (Object.keys(wanted.services).length === 0)
    throw usageError(
      `${service} is the last service of ${shown}`,
      `to remove all of it: npm run remove-framework ${folder}`,
      [],
      "last-service",
    );
  const gone = Object.keys(spec.services).filter((id) => !(id in wanted.services));
  const change = await prepareChange({ framework, spec: wanted, upgrade: false }, place);
  refuseOpen([...change.disk.keys()], shown);
  refuseOwn(framework, gone, shown, place);
  const pruned = gone.filter((id) => id !== service);
  const notes = pruned.length === 0 ? [] : [`${pruned.join(", ")}: removed as well, nothing else needs it`];
  return {
    change: { ...change, notes: [...notes, ...change.notes] },
    lines: remains(framework, gone, place),
    orphans: true,
  };
}

function refuseNeeded(spec: Spec, service: string, shown: string, { catalogue }: Place): void {
  const needing = dependants(spec, service, catalogue);
  if (needing.length === 0) return;
  throw usageError(
    `${service} is needed by ${needing.join(", ")} in ${shown}`,
    `remove ${needing.length === 1 ? "that" : "those"} first: npm run remove-service ${needing[0] ?? ""}`,
    needing.map((id) => ({ key: `services.${id}`, message: `needs ${service}` })),
    "needed",
  );
}

/** Nothing is deleted while a conflict is open. */
function refuseOpen(paths: readonly string[], shown: string): void {
  const open = paths.filter((path) => path.endsWith(incomingPath("")));
  if (open.length === 0) return;
  throw new UserError(`a conflict is open in ${shown}: ${open.join(", ")}`, {
    code: "conflicts",
    exit: EXIT.conflicts,
    hint: SETTLE_HINT,
  });
}

/** Services that somebody added to compose.yaml by hand, and that would no longer start. */
function refuseOwn(framework: Framework, gone: readonly string[], shown: string, { catalogue }: Place): void {
  const text = readFiles(framework.dir, [COMPOSE], shown).get(COMPOSE)?.text;
  const containers = gone.flatMap((id) => (catalogue.services.get(id)?.containers ?? []).map(({ name }) => name));
  const needing = text === undefined ? [] : neededBy(parseForeignYaml(text), new Set(containers));
  const generated = new Set(
    [...catalogue.services.values()].flatMap((each) => each.containers.map(({ name }) => name)),
  );
  const own = needing.filter(({ by }) => !generated.has(by));
  if (own.length === 0) return;
  const details = own.map(({ by, service }) => ({
    file: `${shown}/${COMPOSE}`,
    key: `services.${by}`,
    message: `needs ${service}`,
  }));
  throw usageError(
    `${own.map(({ by, service }) => `${by} needs ${service}`).join(", ")} in ${shown}/${COMPOSE}`,
    "take that out first: it is yours, so no command does it",
    details,
    "needed",
  );
}

function remains(framework: Framework, gone: readonly string[], { catalogue }: Place): string[] {
  const volumes = volumesOf(framework, gone, catalogue);
  if (volumes.length === 0) return [];
  return [
    "No volume was deleted. What remains, with its data:",
    ...volumes.map((name) => `  ${name}`),
    `To delete it for good, once its container is gone: docker volume rm ${volumes.join(" ")}`,
    "Its secrets stay in .env: with them, adding it again opens that data.",
  ];
}
