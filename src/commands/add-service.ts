import { prepareChange } from "../change.ts";
import { completePorts, requireComplete } from "../complete.ts";
import { usageError, type ExitCode } from "../errors.ts";
import type { Place } from "../pipeline.ts";
import type { Root } from "../probe/root.ts";
import { SPEC_FILE } from "../probe/framework.ts";
import { portLines } from "../report/preview.ts";
import { EXTERNAL_CAPABLE } from "../spec/normalise.ts";
import type { Spec } from "../spec/schema.ts";
import { withService } from "../spec/services.ts";
import { findFramework } from "./choose.ts";
import { openPlace, type Context } from "./context.ts";
import { portFlags } from "./draft.ts";
import { changeOne, type Prepared } from "./one-change.ts";
import { completeChoice, givenChoice, requireKnown, type ServiceChoice } from "./service-choice.ts";

export const help = `Usage: npm run add-service [SERVICE] [FRAMEWORK]
       npm run add-service -- [SERVICE] [FRAMEWORK] [flags]
       framework-infra add-service [SERVICE] [FRAMEWORK] [flags]

Adds a service to a framework, and what that needs: compose.yaml, .env, configuration, documents. Your edits stay;
so do the other services, even where the templates have moved on. The only framework need not be named.

  --port SERVICE=PORT  host port of what is added; can be repeated
  --yes                ask nothing
  --dry-run            show the plan, write nothing
  --diff               show the changes as a unified diff, secrets redacted; writes nothing
  --root DIR           where frameworks live (default frameworks)
  --templates DIR      use these templates instead of the built-in ones
  --json               print the plan as JSON

Examples:
  npm run add-service qdrant
  npm run add-service langfuse crewai
  npm run add-service -- qdrant crewai --port qdrant=6400
  npm run add-service -- langfuse crewai --diff
`;

export async function run(context: Context): Promise<ExitCode> {
  const place = await openPlace(context);
  const given = await givenChoice(context, place);
  if (given.service !== undefined) requireKnown(given.service, place);
  const choice = completeChoice(given, context, "add");
  if (choice !== undefined) return addService(context, place, choice);
  const { runGenerator } = await import("../../generators/host.ts");
  const { addServiceGenerator } = await import("../../generators/service.ts");
  return runGenerator(addServiceGenerator({ context, place, given }));
}

/** Adds the service, or shows what would be done. Also what the Plop generator's action calls. */
export async function addService(context: Context, place: Place, choice: ServiceChoice): Promise<ExitCode> {
  return changeOne(context, place, (root) => prepare(context, place, choice, root));
}

async function prepare(context: Context, place: Place, choice: ServiceChoice, root: Root): Promise<Prepared> {
  const { service } = choice;
  const framework = findFramework(root, choice.framework, place.shown);
  const { folder, spec } = framework;
  requireKnown(service, place);
  requireComplete(framework, place);
  const typed = portFlags(context.flags.values["port"]);
  if (typed.size === 0 && spec.services[service]?.requested === true)
    return { folder, nothing: `${place.shown}/${folder} has ${service} already; nothing to do` };
  requireNotExternal(spec, service, `${place.shown}/${folder}/${SPEC_FILE}`);
  const { spec: wanted, notes } = await completePorts(
    framework,
    withService(spec, service, place.catalogue),
    typed,
    root,
    place,
  );
  const change = await prepareChange({ framework, spec: wanted, upgrade: false }, place);
  const came = Object.keys(wanted.services).filter((id) => id !== service && !(id in spec.services));
  const added = new Set(Object.keys(wanted.services).filter((id) => !(id in spec.services)));
  const ports = Object.entries(wanted.services).filter(([id]) => added.has(id));
  return {
    change: {
      ...change,
      notes: [
        ...notes,
        ...(came.length === 0 ? [] : [`${came.join(", ")}: added as well, ${service} needs it`]),
        ...change.notes,
      ],
    },
    lines: portLines({ ...wanted, services: Object.fromEntries(ports) }, place.catalogue).map((line) => `  ${line}`),
  };
}

function requireNotExternal({ langfuse }: Spec, service: string, file: string): void {
  if (service !== EXTERNAL_CAPABLE || langfuse.mode !== "external") return;
  throw usageError(
    `${service} runs outside this stack: ${file} says langfuse.mode external`,
    `write mode: dedicated there, without host, and ${service}: {} under services; then npm run regenerate`,
    [],
    "external",
  );
}
