import { dotenvValues } from "../env/dotenv.ts";
import { envSections } from "../env/variables.ts";
import { trackedFiles } from "../host/git.ts";
import { isThere, textOf } from "../host/files.ts";
import { today } from "../host/machine.ts";
import { UserError } from "../lib/errors.ts";
import { describeHolder } from "../ports/claim.ts";
import { chosenFrameworks } from "../root/find.ts";
import { effectiveName, type Framework } from "../root/framework.ts";
import type { Root } from "../root/root.ts";
import { stackFiles } from "../root/stack-files.ts";
import { stackOf } from "../compose/stack.ts";
import { SPEC_RULE } from "../rules/framework.ts";
import { judge, notReadable, type Judgement, type Subject } from "../rules/judge.ts";
import type { Finding } from "../rules/rule.ts";
import { exceptionsOf } from "../rules/waivers.ts";
import { modeOf, openConflicts } from "../store/directory.ts";
import type { Place } from "./place.ts";
import { openSession } from "./session.ts";

/** What is on disk, held against the rules. Asks no engine. */
export interface ValidateRequest {
  place: Place;
  /** All frameworks when none is named. */
  frameworks: readonly string[];
}

interface FrameworkVerdict {
  name: string;
  findings: readonly Finding[];
}

export interface ValidateResult {
  frameworks: readonly FrameworkVerdict[];
  summary: { pass: number; fail: number; unknown: number; waived: number };
  notes: readonly string[];
}

/** Judges frameworks by the static rules. */
export async function validate({ place, frameworks: names }: ValidateRequest): Promise<ValidateResult> {
  const session = await openSession(place, { dry: true });
  const { root } = session;
  const isNamed = (folder: string): boolean => names.length === 0 || names.includes(folder);
  const readable = names.filter((name) => root.broken.every(({ folder }) => folder !== name));
  // Named ones that cannot be read are judged as that; a name that is nowhere is an error.
  const chosen = names.length > 0 && readable.length === 0 ? [] : chosenFrameworks(root, readable);
  const broken = root.broken.filter(({ folder }) => isNamed(folder));
  const about = new Surroundings(root, await clashesOf(root), trackedFiles(root.dir, [ENV]));
  const day = today();
  const judged: (FrameworkVerdict & { passed: number })[] = [];
  for (const framework of chosen) {
    judged.push({ name: framework.folder, ...verdictOf(framework, about, place, day) });
    await place.interrupt.breathe();
  }
  for (const { folder, error } of broken) judged.push({ name: folder, findings: notASpec(error), passed: 0 });
  const frameworks = judged
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, findings }) => ({ name, findings }));
  const count = (outcome: Finding["outcome"]): number =>
    frameworks.reduce((sum, { findings }) => sum + findings.filter((each) => each.outcome === outcome).length, 0);
  return {
    frameworks,
    summary: {
      pass: judged.reduce((sum, { passed }) => sum + passed, 0),
      fail: count("fail"),
      unknown: count("unknown"),
      waived: count("waived"),
    },
    notes: [...session.notes, ...root.warnings.map((warning) => `warning: ${warning}`)],
  };
}

const ENV = ".env";

/** What one framework's verdict depends on that is not in its directory. */
class Surroundings {
  readonly #root: Root;
  readonly #clashes: ReadonlyMap<string, readonly string[]>;
  readonly #tracked: ReadonlySet<string> | undefined;
  readonly #names = new Map<string, string[]>();

  constructor(root: Root, clashes: ReadonlyMap<string, readonly string[]>, tracked: ReadonlySet<string> | undefined) {
    this.#root = root;
    this.#clashes = clashes;
    this.#tracked = tracked;
    for (const framework of root.frameworks) {
      for (const name of stackNames(framework)) {
        const same = this.#names.get(name);
        if (same === undefined) this.#names.set(name, [framework.folder]);
        else same.push(framework.folder);
      }
    }
  }

  get shown(): string {
    return this.#root.shown;
  }

  of(framework: Framework): Pick<Subject, "clashes" | "twins"> & { isTracked: boolean | undefined } {
    const { folder } = framework;
    return {
      clashes: this.#clashes.get(folder) ?? [],
      twins: [...new Set(stackNames(framework).flatMap((name) => this.#names.get(name) ?? []))].filter(
        (other) => other !== folder,
      ),
      isTracked: this.#isTracked(framework),
    };
  }

  /** A framework's directory may be a repository of its own. */
  #isTracked({ folder, dir }: Framework): boolean | undefined {
    if (isThere(`${dir}/.git`)) {
      const own = trackedFiles(dir, [ENV]);
      return own?.has(ENV);
    }
    return this.#tracked?.has(`${folder}/${ENV}`);
  }
}

/** What a stack's containers, volumes and networks are called after. */
function stackNames(framework: Framework): string[] {
  const project = framework.env.get("COMPOSE_PROJECT_NAME") ?? "";
  return [...new Set([effectiveName(framework), ...(project === "" ? [] : [project])])];
}

/** Ports that two would publish, by the directory of each. */
async function clashesOf(root: Root): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const claims of (await root.claims()).table.clashes()) {
    for (const claim of claims) {
      const others = claims.filter((other) => other !== claim);
      const some = [...new Set(others.slice(0, 3).map(describeHolder))].join(" and ");
      const more = others.length > 3 ? ` and ${String(others.length - 3)} more` : "";
      const message = `${claim.service} publishes ${String(claim.port)}/${claim.protocol}, and so does ${some}${more}`;
      const known = found.get(claim.framework) ?? [];
      if (!known.includes(message)) found.set(claim.framework, [...known, message]);
    }
  }
  return found;
}

function verdictOf(framework: Framework, about: Surroundings, place: Place, day: string): Judgement {
  try {
    return judge(subjectOf(framework, about, place), day);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { findings: notASpec(error), passed: 0 };
  }
}

function subjectOf(framework: Framework, about: Surroundings, { catalogue }: Place): Subject {
  const { folder, dir, spec, specText, envText, env } = framework;
  const shown = `${about.shown}/${folder}`;
  const { files, unread } = stackFiles(framework, shown);
  const variables = envSections(spec, catalogue).flatMap((section) => section.variables);
  // In a clone without .env, the template says what the values will be, secrets aside.
  const lookup = envText === undefined ? templateValues(dir, shown) : env;
  const stack = stackOf(files, (name) => lookup.get(name), dir);
  const { isTracked, ...rest } = about.of(framework);
  return {
    shown,
    spec,
    specText,
    exceptions: exceptionsOf(spec, catalogue),
    stack: { ...stack, unknown: [...stack.unknown, ...unread.map((each) => ({ ...each, path: [] }))] },
    env: envText === undefined ? undefined : { mode: modeOf(dir, ENV) ?? 0, isTracked },
    values:
      envText === undefined
        ? undefined
        : { variables, values: env, names: new Set([spec.name, ...Object.keys(spec.services)]), text: envText },
    conflicts: openConflicts(dir, shown),
    ...rest,
  };
}

function templateValues(dir: string, shown: string): ReadonlyMap<string, string> {
  const text = textOf(`${dir}/.env.template`, `${shown}/.env.template`, "refused");
  return text === undefined ? new Map() : dotenvValues(text);
}

/** Every problem of a directory that cannot be read as a framework, or one for all of them. */
function notASpec(error: UserError): Finding[] {
  const problems = error.details.length > 0 ? error.details : [{ message: error.message }];
  return problems.map(({ message, file, line, key }) => ({
    ...notReadable(message, file, line, error.hint === "" ? SPEC_RULE.fix : error.hint),
    key: key ?? null,
  }));
}
