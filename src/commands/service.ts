import type { ServiceGiven } from "../flow/asked.ts";
import { conflictsOf } from "../flow/change.ts";
import { conflictsError } from "../flow/conflicts.ts";
import { requireKnown, type ServiceChange, type ServiceChoice } from "../flow/service.ts";
import { readFrameworks } from "../flow/survey.ts";
import { EXIT, usageError, type ExitCode } from "../lib/errors.ts";
import { showService } from "../report/service.ts";
import { missingFramework, theFramework } from "../root/find.ts";
import { isInteractive, viewOf, type Context } from "./context.ts";

type Rest<Request extends ServiceChoice> = Omit<Request, keyof ServiceChoice>;

/**
 * Service and framework from the arguments; the only framework of a root need not be named.
 * @param rest of the request
 * @throws UserError exit 2 for what is missing where nothing can be asked
 */
export async function readChoice<Request extends ServiceChoice>(
  context: Context,
  verb: "add" | "remove",
  rest: Rest<Request>,
): Promise<{ request: Request } | { ask: ServiceGiven<Request> }> {
  const { place, flags } = context;
  const [service, framework, more] = flags.positionals;
  if (more !== undefined) throw usageError(`unexpected argument "${more}"`, "a service and a framework are expected");
  if (service !== undefined && verb === "add") requireKnown(service, place.catalogue);
  const canAsk = isInteractive(context) && !flags.isSet("yes");
  const request = { ...rest, service, framework };
  // Which framework is the only one, the use case finds out when it has locked the root.
  if (service !== undefined && (framework !== undefined || !canAsk)) return { request: request as unknown as Request };
  const root = await readFrameworks(place);
  const what = `${verb}-service ${service ?? "SERVICE"}`;
  const names = [...root.frameworks, ...root.broken].map(({ folder }) => folder);
  if (framework === undefined && names.length > 1) {
    if (canAsk) return { ask: { request, root } as unknown as ServiceGiven<Request> };
    throw missingFramework(names, what, service === undefined ? "the service, and " : "");
  }
  const { folder } = theFramework(root, framework, what);
  if (service !== undefined) return { request: { ...request, framework: folder } as unknown as Request };
  if (canAsk) return { ask: { request: { ...request, framework: folder }, root } as unknown as ServiceGiven<Request> };
  throw usageError(
    "missing: the service",
    `for example: npm run ${what} ${folder}; there are: ${[...place.catalogue.services.keys()].join(", ")}`,
    [],
    "missing-argument",
  );
}

/** @throws UserError exit 4 when the change left a conflict open */
export async function presentService(result: ServiceChange | undefined, context: Context): Promise<ExitCode> {
  if (result === undefined) return EXIT.ok;
  await showService(result, context.place.catalogue, viewOf(context));
  const { folder, change, written } = result;
  const open = written ? conflictsError([{ folder, conflicts: conflictsOf(change?.plan.actions ?? []) }]) : undefined;
  if (open !== undefined) throw open;
  return EXIT.ok;
}
