import { existsSync, readdirSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";

import type { Catalogue } from "./catalogue/catalogue.ts";
import { sha256 } from "./digest.ts";
import { UserError } from "./errors.ts";
import { planNew, type Plan } from "./plan/plan.ts";
import { givePorts, withPorts } from "./ports/give.ts";
import { textOf } from "./probe/files.ts";
import { isListening } from "./probe/listening.ts";
import { SCAFFOLD_DIR } from "./plan/state.ts";
import { checkRoot, readRoot } from "./probe/root.ts";
import { externalHost } from "./probe/siblings.ts";
import { refuseTaken } from "./probe/taken.ts";
import type { Precompiled } from "./render/engine.ts";
import { envSections, managedNames, secretsOf } from "./render/env.ts";
import { render } from "./render/render.ts";
import { memoryReport } from "./report/preview.ts";
import { dotenvValues } from "./spec/dotenv.ts";
import { normalise } from "./spec/normalise.ts";
import type { Request, Spec } from "./spec/schema.ts";

/** Where the road leads: the root, and what directories are made from. */
export interface Place {
  /** Absolute path of the root. */
  root: string;
  /** The root as the user named it. */
  shown: string;
  catalogue: Catalogue;
  precompiled: Precompiled;
}

/** Everything that is known before something is written. */
export interface Prepared {
  spec: Spec;
  plan: Plan;
  notes: readonly string[];
  /** Secret values, to keep them out of what is printed. */
  secrets: readonly string[];
  /** Variables of `.env` whose values may be shown. */
  visible: ReadonlySet<string>;
  specs: readonly Spec[];
}

/**
 * The whole road for a new framework, without a write:
 * draft -> spec -> ports -> render -> plan.
 * @throws UserError for everything that is wrong with the draft or the place
 */
export async function prepareNew(request: Request, place: Place): Promise<Prepared> {
  const normalised = normalise(request, place.catalogue);
  const root = await readRoot(place.root, place.shown, place.catalogue);
  const left = refuseTaken(normalised.spec.name, root, place.shown);
  const external = externalHost(normalised.spec, root, place.catalogue);
  const allocation = await givePorts(
    external.spec,
    normalised.typed,
    { claims: root.claims, listening: isListening },
    place.catalogue,
  );
  const spec = withPorts(external.spec, allocation.ports);

  const { fillSecrets } = await import("./secrets.ts");
  const sections = envSections(spec, place.catalogue);
  const env = left ? (textOf(join(place.root, spec.name, ".env"), `${place.shown}/${spec.name}/.env`) ?? "") : "";
  const secrets = fillSecrets(secretsOf(sections), dotenvValues(env));
  const tree = await render(spec, place.catalogue, secrets, place.precompiled);
  if (!isBuiltIn(place)) {
    const { checkStack } = await import("./render/check.ts");
    checkStack(tree, spec, place.catalogue);
  }
  const others = root.frameworks.map((framework) => framework.spec);
  const memory = memoryReport(spec, place.catalogue, totalmem(), others);
  const { takeUp } = await import("./take-up.ts");
  const plan = left ? takeUp(place, spec.name, tree, env, sections, secrets) : planNew(spec.name, tree);
  return {
    spec,
    plan,
    notes: [
      ...(left ? [`${spec.name}: the .env that was left is used, so that its volumes can be opened`] : []),
      ...normalised.notes,
      ...external.notes,
      ...root.warnings.map((warning) => `warning: ${warning}`),
      ...allocation.notes,
      ...(memory.warning === undefined ? [] : [memory.warning]),
    ],
    secrets: [...secrets.values()],
    visible: managedNames(sections),
    specs: [...others, spec],
  };
}

/** Whether every template is one that the build compiled, so that the tests of this project have seen it. */
export function isBuiltIn({ catalogue, precompiled }: Place): boolean {
  const known = builtIn.get(catalogue);
  if (known !== undefined) return known;
  const templates = [...catalogue.templates.values()].filter(({ path }) => path.endsWith(".hbs"));
  const answer = templates.every(({ source }) => precompiled.has(sha256(source)));
  builtIn.set(catalogue, answer);
  return answer;
}

const builtIn = new WeakMap<Catalogue, boolean>();

export interface CreateEvents {
  onWait: () => void;
  /** Called when nothing can be undone by a signal any more. */
  onCommit: () => void;
}

/** Makes a framework: everything is checked again under the root's lock, then written. */
export async function createFramework(request: Request, place: Place, events: CreateEvents): Promise<Prepared> {
  // Most mistakes are refused here, before anything is touched; the rest under the lock, which
  // takes away again what had to be made for it.
  normalise(request, place.catalogue);
  checkRoot(place.root, place.shown);
  const { withRootLock } = await import("./apply/lock.ts");
  const { createDirectory, withDerived } = await import("./apply/create.ts");
  const { applyPlan } = await import("./apply/transaction.ts");
  const { portAllocation, PORT_TABLE_FILE } = await import("./report/port-allocation.ts");
  return withRootLock(place.root, place.shown, events.onWait, async (requireHeld) => {
    const recovered = await recoverAll(place);
    const prepared = await prepareNew(request, place);
    withDerived(place.root, PORT_TABLE_FILE, portAllocation(prepared.specs, place.catalogue), () => {
      requireHeld();
      events.onCommit();
      if (prepared.plan.preconditions.get(".env") === null) createDirectory(place.root, prepared.plan);
      else applyPlan(join(place.root, prepared.plan.framework), prepared.plan);
    });
    return { ...prepared, notes: [...recovered, ...prepared.notes] };
  });
}

/**
 * Finishes or undoes what killed commands left behind. The root is locked by the caller.
 * @returns what was done, for the person
 */
export async function recoverAll(place: Place): Promise<string[]> {
  const { recover, removeStaging } = await import("./apply/transaction.ts");
  removeStaging(place.root);
  const notes: string[] = [];
  for (const entry of readdirSync(place.root, { withFileTypes: true })) {
    const dir = join(place.root, entry.name);
    if (!entry.isDirectory() || !existsSync(join(dir, SCAFFOLD_DIR))) continue;
    try {
      notes.push(...recover(dir).map((note) => `${entry.name}: ${note}`));
    } catch (error) {
      // One directory that cannot be mended does not stop the work on others.
      if (!(error instanceof UserError)) throw error;
      notes.push(`warning: ${entry.name}: ${error.message}; ${error.hint ?? ""}`);
    }
  }
  return notes;
}
