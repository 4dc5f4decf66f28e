import { prepareChange, renderedPorts, type Change } from "./change.ts";
import { checkMovedPorts, completePorts, completeSpec } from "./complete.ts";
import { problemsError } from "./errors.ts";
import type { Place } from "./pipeline.ts";
import type { Decision } from "./plan/update.ts";
import { effectiveName, SPEC_FILE, type Framework } from "./probe/framework.ts";
import { addClaims, type Root } from "./probe/root.ts";
import { underscored } from "./spec/names.ts";
import { locate } from "./spec/yaml.ts";

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
  requireOwnName(framework, root, place);
  await checkMovedPorts(framework, completed.spec, () => renderedPorts(framework, place.catalogue), root, place);
  const { spec, notes } = await completePorts(framework, completed.spec, new Map(), root, place);
  const same = spec === framework.spec || JSON.stringify(spec) === JSON.stringify(framework.spec);
  if (!same) addClaims(await root.withClaims(), framework, spec, place.shown, place.catalogue);
  const change = await prepareChange({ framework, spec: same ? framework.spec : spec, upgrade: true, decide }, place);
  return { ...change, notes: [...completed.notes, ...notes, ...change.notes] };
}

/** @throws UserError exit 2 for a name that was changed to another framework's: they would share containers and volumes */
function requireOwnName(framework: Framework, root: Root, place: Place): void {
  const wanted = underscored(framework.name);
  if (effectiveName(framework) === wanted) return;
  const holder = root.frameworks.find(
    (other) => other !== framework && [effectiveName(other), underscored(other.name)].includes(wanted),
  );
  if (holder === undefined) return;
  const file = `${place.shown}/${framework.folder}/${SPEC_FILE}`;
  const problems = [
    {
      key: "name",
      message: `${framework.name} is taken: ${place.shown}/${holder.folder} has it, and containers and volumes of that name`,
    },
  ];
  throw problemsError(file, locate(framework.specText, file, problems), "choose another name");
}
