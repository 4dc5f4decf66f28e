import { underscored } from "../../catalogue/names.ts";
import { problemsError } from "../../lib/errors.ts";
import { effectiveName, SPEC_FILE, type Framework } from "../../root/framework.ts";
import { isEmpty } from "../../plan/plan.ts";
import type { Root } from "../../root/root.ts";
import type { Place } from "../place.ts";
import { completeSpec } from "./complete.ts";
import { withEngineDigests, withRegistryOfEnv } from "./images.ts";
import { planChange, type PlannedChange, type Wanted } from "./plan-change.ts";
import { checkMovedPorts, completePorts, type PortBook } from "./ports.ts";

/** How a framework is brought up to date. */
interface UpToDate extends Pick<Wanted, "decide"> {
  /** Whether the digests that the engine has of its images are written into the spec. */
  recordsDigests?: boolean;
}

/**
 * What `regenerate` does to a framework, without a write: its spec, which somebody may have edited, is completed and
 * checked, then everything is brought to it and to today's templates.
 * @param book of the whole run; it knows whether this is a check
 * @throws UserError for what is wrong with the spec, and for an image that could not open its data
 */
export async function planUpToDate(
  framework: Framework,
  root: Root,
  book: PortBook,
  place: Place,
  { decide, recordsDigests = false }: UpToDate = {},
): Promise<PlannedChange> {
  const completed = await completeSpec(framework, place);
  await requireOwnName(framework, root, place);
  const registry = book.isCheck ? { spec: completed.spec, notes: [] } : withRegistryOfEnv(framework, completed.spec);
  const digests = recordsDigests ? withEngineDigests(registry.spec, place.catalogue) : { ...registry, notes: [] };
  const { spec, notes } = await completePorts(framework, digests.spec, new Map(), book, place);
  const same = spec === framework.spec || JSON.stringify(spec) === JSON.stringify(framework.spec);
  if (!same) await book.move(framework, spec);
  const change = await planChange(
    { framework, spec: same ? framework.spec : spec, upgrade: true, decide, isCheck: book.isCheck },
    place,
  );
  // A port that was changed is in `.env.template` as well: without anything to write, none was.
  if (!isEmpty(change.plan)) await checkMovedPorts(framework, completed.spec, change.disk, book, place);
  return {
    ...change,
    notes: [...completed.notes, ...registry.notes, ...digests.notes, ...notes, ...change.notes],
  };
}

/** @throws UserError exit 2 for a name that was changed to another framework's: they would share containers and volumes */
async function requireOwnName(framework: Framework, root: Root, place: Place): Promise<void> {
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
      message: `${framework.name} is taken: ${place.shown}/${holder.folder} has it, with its containers and volumes`,
    },
  ];
  const { locate } = await import("../../lib/yaml.ts");
  throw problemsError(file, locate(framework.specText, file, problems), "choose another name");
}
