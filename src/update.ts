import { prepareChange, renderedPorts, type Change } from "./change.ts";
import { checkMovedPorts, completePorts, completeSpec } from "./complete.ts";
import type { Place } from "./pipeline.ts";
import type { Decision } from "./plan/update.ts";
import type { Framework } from "./probe/framework.ts";
import { addClaims, type Root } from "./probe/root.ts";

/**
 * What `regenerate` does to a framework, without a write: its spec, which somebody may have edited, is completed and
 * checked, then everything is brought to it and to today's templates.
 * @throws UserError for what is wrong with the spec, and for an image that could not open its data
 */
export async function prepareUpdate(
  framework: Framework,
  root: Root,
  place: Place,
  decide?: (path: string) => Decision | undefined,
): Promise<Change> {
  const completed = completeSpec(framework, place);
  await checkMovedPorts(framework, completed.spec, () => renderedPorts(framework, place.catalogue), root, place);
  const { spec, notes } = await completePorts(completed.spec, new Map(), root, place);
  const same = JSON.stringify(spec) === JSON.stringify(framework.spec);
  if (!same) addClaims(await root.withClaims(), framework, spec, place.shown, place.catalogue);
  const change = await prepareChange({ framework, spec: same ? framework.spec : spec, upgrade: true, decide }, place);
  return { ...change, notes: [...completed.notes, ...notes, ...change.notes] };
}
