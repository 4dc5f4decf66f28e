import { dotenvValues } from "../env/dotenv.ts";
import { dotenvProblems } from "../env/dotenv-problems.ts";
import { envSections } from "../env/variables.ts";
import { trackedFiles } from "../host/git.ts";
import { isThere, textOf } from "../host/files.ts";
import { today } from "../host/machine.ts";
import { UserError } from "../lib/errors.ts";
import { describeHolder } from "../ports/claim.ts";
import { chosenFrameworks } from "../root/find.ts";
import { effectiveName, projectOf, type Framework } from "../root/framework.ts";
import { newestSet, type BackupSet } from "../root/backup-sets.ts";
import { readEnvFiles } from "../root/env-files.ts";
import { requireRoot, type Root } from "../root/root.ts";
import { stackFiles } from "../root/stack-files.ts";
import { profilesIn } from "../compose/model.ts";
import { overviewOf, type StackOverview } from "../compose/overview.ts";
import { stackOf } from "../compose/stack.ts";
import type { Probed } from "../probes/probe.ts";
import { SPEC_RULE } from "../rules/framework.ts";
import { judge, notReadable, withoutSecrets, type Judgement, type Subject } from "../rules/judge.ts";
import type { Finding } from "../rules/rule.ts";
import { exceptionsOf } from "../rules/waivers.ts";
import { modeOf, openConflicts } from "../store/directory.ts";
import type { LiveStack } from "./live-probes.ts";
import type { LiveRequest, LiveResult } from "./live.ts";
import type { MeasuredStack } from "../probes/latency.ts";
import type { MeasuredStacks } from "./measure.ts";
import type { Place } from "./place.ts";
import { openSession } from "./session.ts";

/** What is on disk, held against the rules; and, if asked for, what runs. */
export interface ValidateRequest {
  place: Place;
  /** All frameworks when none is named. */
  frameworks: readonly string[];
  /** Asks the running stacks as well; without it, no engine is asked. */
  live?: LiveRequest | undefined;
  /** Also gives what the stacks look like, for a page. */
  withStacks?: boolean;
  /** Refuses a root that does not exist; otherwise it is one without frameworks. */
  requiresRoot?: boolean;
}

export interface FrameworkVerdict {
  name: string;
  findings: readonly Finding[];
  /** None without `live`. */
  probes: readonly Probed[];
  /** Only where figures were taken. */
  measured?: MeasuredStack | undefined;
  /** Only where it was asked for, and the directory can be read. */
  stack?: StackView | undefined;
}

/** What a stack looks like. */
export interface StackView {
  /** No value of a secret is in it. */
  overview: StackOverview;
  lastBackup: BackupSet | undefined;
}

export interface ValidateResult {
  frameworks: readonly FrameworkVerdict[];
  summary: { pass: number; fail: number; unknown: number; waived: number };
  notes: readonly string[];
}

/** Judges frameworks by the static rules, and asks their running stacks where that is wanted. */
export async function validate(request: ValidateRequest): Promise<ValidateResult> {
  const { place, frameworks: names, live } = request;
  if (request.requiresRoot === true) requireRoot(place.root, place.shown);
  const session = await openSession(place, { dry: true });
  const { root } = session;
  const isNamed = (folder: string): boolean => names.length === 0 || names.includes(folder);
  const readable = names.filter((name) => root.broken.every(({ folder }) => folder !== name));
  // Named ones that cannot be read are judged as that; a name that is nowhere is an error.
  const chosen = names.length > 0 && readable.length === 0 ? [] : chosenFrameworks(root, readable);
  const broken = root.broken.filter(({ folder }) => isNamed(folder));
  const about = new Surroundings(root, await clashesOf(root), trackedFiles(root.dir, [ENV]));
  const day = today();
  const judged: (Omit<FrameworkVerdict, "probes"> & { passed: number })[] = [];
  const stacks: LiveStack[] = [];
  for (const framework of chosen) {
    const { subject, ...verdict } = verdictOf(framework, about, place, day);
    const stack = subject !== undefined && request.withStacks === true ? viewOf(framework, subject) : undefined;
    judged.push({ name: framework.folder, ...verdict, stack });
    if (subject !== undefined && live !== undefined)
      stacks.push({
        framework,
        compose: subject.stack.compose,
        hide: (text) => withoutSecrets(text, subject.values),
      });
    await place.interrupt.breathe();
  }
  for (const { folder, error } of broken) judged.push({ name: folder, findings: notASpec(error), passed: 0 });
  const { probed, notes } = live === undefined ? NOT_ASKED : await askStacks(stacks, place, live);
  const measured =
    live?.measuring === undefined ? NOT_MEASURED : await takeFigures(stacks, place, live, live.measuring);
  const frameworks = judged
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, findings, stack }) => ({
      name,
      findings,
      probes: probed.get(name) ?? [],
      measured: measured.stacks.get(name),
      stack,
    }));
  const outcomes = frameworks.flatMap(({ findings, probes }) => [...findings, ...probes].map(({ outcome }) => outcome));
  const count = (outcome: (typeof outcomes)[number]): number => outcomes.filter((each) => each === outcome).length;
  return {
    frameworks,
    summary: {
      pass: judged.reduce((sum, { passed }) => sum + passed, count("pass")),
      fail: count("fail"),
      unknown: count("unknown"),
      waived: count("waived"),
    },
    notes: [...session.notes, ...root.warnings.map((warning) => `warning: ${warning}`), ...notes, ...measured.notes],
  };
}

function viewOf(framework: Framework, { stack, values }: Subject): StackView {
  // Anything of a Compose file may be made from a variable.
  const hide = (text: string): string => withoutSecrets(text, values);
  const raw = overviewOf(stack.compose, projectOf(framework));
  // Names of services are keys, which Compose does not fill in.
  const services = raw.services.map(({ name, networkMode, published: { ranges, others } }) => ({
    name,
    networkMode: networkMode === undefined ? undefined : hide(networkMode),
    published: { ranges: ranges.map((range) => ({ ...range, address: hide(range.address) })), others },
  }));
  const networks = raw.networks.map((network) => ({ ...network, name: hide(network.name) }));
  return { overview: { ...raw, services, networks }, lastBackup: newestSet(framework.dir, framework.spec.backup) };
}

const NOT_ASKED: LiveResult = { probed: new Map(), notes: [] };

const NOT_MEASURED: MeasuredStacks = { stacks: new Map(), notes: [] };

async function takeFigures(
  stacks: readonly LiveStack[],
  place: Place,
  live: LiveRequest,
  wanted: "keep" | "compare",
): Promise<MeasuredStacks> {
  const { measureStacks } = await import("./measure.ts");
  return measureStacks(stacks, place, live, wanted);
}

/** Only this loads what speaks to an engine and to databases. */
async function askStacks(stacks: readonly LiveStack[], place: Place, live: LiveRequest): Promise<LiveResult> {
  const { probeStacks } = await import("./live.ts");
  return probeStacks(stacks, place, live);
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
  return [...new Set([effectiveName(framework), projectOf(framework)])];
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

/** @returns `subject` is undefined for a directory that cannot be read */
function verdictOf(
  framework: Framework,
  about: Surroundings,
  place: Place,
  day: string,
): Judgement & { subject: Subject | undefined } {
  try {
    const subject = subjectOf(framework, about, place);
    return { ...judge(subject, day), subject };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { findings: notASpec(error), passed: 0, subject: undefined };
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
    env:
      envText === undefined ? undefined : { mode: modeOf(dir, ENV) ?? 0, isTracked, problems: dotenvProblems(envText) },
    values:
      envText === undefined
        ? undefined
        : { variables, values: env, names: new Set([spec.name, ...Object.keys(spec.services)]), text: envText },
    envFiles: readEnvFiles(stack.compose, profilesIn(lookup), dir, shown),
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
