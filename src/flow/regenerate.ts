import { COMPOSE } from "../compose/file.ts";
import { asUserError, UserError } from "../lib/errors.ts";
import { isEmpty, type Action, type Plan } from "../plan/plan.ts";
import { chosenFrameworks } from "../root/find.ts";
import type { Framework } from "../root/framework.ts";
import type { Root } from "../root/root.ts";
import { hasJournal, isLocked } from "../store/journal.ts";
import type { FoundConflict } from "./conflicts.ts";
import type { Decisions } from "./decisions.ts";
import type { Place } from "./place.ts";
import { planUpToDate } from "./road/bring-up-to-date.ts";
import type { PlannedChange } from "./road/plan-change.ts";
import { PortBook } from "./road/ports.ts";
import { openSession, type Session } from "./session.ts";

/** Bring frameworks to what their specs and the templates say now. */
export interface RegenerateRequest {
  place: Place;
  /** All frameworks when none is named. */
  frameworks: readonly string[];
  decisions: Decisions;
  /** Whether the result lists files that are kept as well. */
  listsKept: boolean;
  dry: boolean;
  /** Whether the digests that the engine has of the images are recorded, where the spec says `images: digest`. */
  recordsDigests: boolean;
  /** A dry run that says whether everything is up to date, on a host that need not run the stack (CI, say). */
  isCheck: boolean;
}

/** What became of one framework, as soon as it is known. */
export interface RegenerateStep {
  folder: string;
  /** Undefined when it failed; the result says why. */
  change: PlannedChange | undefined;
  written: boolean;
}

/** What a run came to for one framework. */
interface RegeneratedFramework {
  folder: string;
  actions: readonly Action[];
  isIdle: boolean;
  /** Whether it differs from what its spec and the templates give. A `.env` that is missing is no such difference. */
  isOutOfDate: boolean;
  lacksEnv: boolean;
  /** Whether compose.yaml is missing: its stack cannot start, and nothing here brings it back by itself. */
  lacksCompose: boolean;
  error: UserError | undefined;
}

/** What a run over all of them came to. */
export interface RegenerateResult {
  frameworks: readonly RegeneratedFramework[];
  /** How many frameworks the root has, whether they were wanted or not. */
  total: number;
  /** Whether PORT_ALLOCATION.md was what the specs give, before this run wrote it. */
  isTableCurrent: boolean;
}

/** What is said before the first framework. */
export interface RegenerateStart {
  notes: readonly string[];
}

/**
 * Brings frameworks up to date, one after the other: each is committed by itself, so that memory does not grow with
 * their number, and one that fails does not stop the others. A run that finds nothing to do takes no lock.
 * @yields first what is to be said beforehand, then a step for each framework of which there is something to say
 * @returns the whole result
 */
export async function* regenerate(
  request: RegenerateRequest,
): AsyncGenerator<RegenerateStart | RegenerateStep, RegenerateResult> {
  const { place, decisions } = request;
  const looking = await openSession(place, { dry: true });
  if (decisions.hasPaths) {
    const known = await conflictsIn(looking.root, request);
    decisions.requireKnown(
      known.map(({ path }) => path),
      place.shown,
    );
  }
  if (request.dry) return yield* new Run(looking, request).all();
  const idle = await idleRun(looking, request);
  if (idle !== undefined) {
    yield { notes: idle.notes };
    yield* idle.said;
    return idle.result;
  }
  const session = await openSession(place, { dry: false });
  try {
    return yield* new Run(session, request).all();
  } finally {
    await session.close();
  }
}

/**
 * The run without a lock and without a write.
 * @returns undefined as soon as something would have to be written: then everything is looked at again, under the lock
 */
async function idleRun(
  session: Session,
  request: RegenerateRequest,
): Promise<{ notes: readonly string[]; said: RegenerateStep[]; result: RegenerateResult } | undefined> {
  const { root } = request.place;
  if (!session.isTableCurrent || hasJournal(root) || isLocked(root)) return undefined;
  const run = new Run(session, request);
  const said: RegenerateStep[] = [];
  let notes: readonly string[] = [];
  for await (const step of run.steps()) {
    if ("notes" in step) ({ notes } = step);
    else if (step.change !== undefined && !isEmpty(step.change.plan)) return undefined;
    else if (isWorthSaying(step)) said.push(step);
  }
  return { notes, said, result: run.result() };
}

/** Whether there is something to tell of a framework: of a thousand that stay as they are, nothing is kept. */
function isWorthSaying({ change }: RegenerateStep): boolean {
  if (change === undefined) return true;
  return (
    change.notes.length > 0 || !isEmpty(change.plan) || change.plan.actions.some(({ action }) => action !== "keep")
  );
}

/** One pass over the frameworks that are wanted. */
class Run {
  readonly #session: Session;
  readonly #request: RegenerateRequest;
  readonly #book: PortBook;
  readonly #chosen: readonly Framework[];
  readonly #outcomes: RegeneratedFramework[] = [];
  #changed = 0;

  constructor(session: Session, request: RegenerateRequest) {
    this.#session = session;
    this.#request = request;
    this.#book = new PortBook(session.root, request.place, request);
    this.#chosen = wanted(session.root, request);
  }

  async *all(): AsyncGenerator<RegenerateStart | RegenerateStep, RegenerateResult> {
    for await (const step of this.steps()) if ("notes" in step || isWorthSaying(step)) yield step;
    const result = this.result();
    // The table alone may be out of date.
    await this.#session.commit([], this.#progress());
    return result;
  }

  async *steps(): AsyncGenerator<RegenerateStart | RegenerateStep, void> {
    const { root, notes } = this.#session;
    yield { notes: [...notes, ...root.warnings.map((warning) => `warning: ${warning}`)] };
    const { frameworks: names } = this.#request;
    for (const { folder, error } of root.broken)
      if (names.length === 0 || names.includes(folder)) this.#outcomes.push(failed(folder, error));
    for (const framework of this.#chosen) {
      await this.#request.place.interrupt.breathe(() => this.#progress());
      yield await this.#one(framework);
    }
  }

  async #one(framework: Framework): Promise<RegenerateStep> {
    const { folder } = framework;
    const { place, decisions } = this.#request;
    try {
      const decide = (path: string): ReturnType<typeof decisions.of> => decisions.of(folder, path);
      const change = await planUpToDate(framework, this.#session.root, this.#book, place, {
        decide,
        recordsDigests: this.#request.recordsDigests,
      });
      const { actions } = change.plan;
      const isIdle = isEmpty(change.plan);
      const lacksEnv = framework.envText === undefined;
      const isOutOfDate = !isIdle && !(lacksEnv && isEnvAlone(change.plan));
      // A check of a clone whose files may not be written is no failure.
      if (isOutOfDate || (!isIdle && !this.#request.isCheck)) {
        await this.#session.commit([change], this.#progress());
        this.#changed += 1;
      }
      // The actions without the files they were made from: those of a thousand directories must not stay in memory.
      const listed = actions.filter(({ action }) => this.#request.listsKept || action !== "keep");
      this.#outcomes.push({
        folder,
        actions: listed.map((each) => ({ ...each })),
        isIdle,
        isOutOfDate,
        lacksEnv,
        lacksCompose: !change.disk.has(COMPOSE) && !change.plan.writes.has(COMPOSE),
        error: undefined,
      });
      return { folder, change, written: !isIdle && !this.#session.isDry };
    } catch (error) {
      if (error instanceof UserError && ENDING.has(error.code)) throw error;
      const known = asUserError(error, `${place.shown}/${folder}`);
      if (this.#session.isStuck) throw this.#stuck(known, folder);
      this.#outcomes.push(failed(folder, known));
      return { folder, change: undefined, written: false };
    }
  }

  result(): RegenerateResult {
    const isTableCurrent = this.#session.isTableCurrent;
    return {
      frameworks: this.#outcomes,
      total: this.#session.root.frameworks.length,
      isTableCurrent,
    };
  }

  /** How far the run got, for one that ends before the next framework. */
  #progress(): string {
    if (this.#changed === 0 || this.#session.isDry) return "nothing was changed";
    const done = this.#outcomes.filter(({ error }) => error === undefined);
    const last = done.at(-1)?.folder ?? "";
    return `${String(done.length)} of ${String(this.#chosen.length)} frameworks were brought up to date, the last one was ${last}; run it again to continue`;
  }

  /** A change that was decided and carried out only in part: nothing else can be written before it is finished. */
  #stuck({ message, code, exit }: UserError, folder: string): UserError {
    const done = this.#outcomes.filter(({ error }) => error === undefined).length;
    return new UserError(
      `${message}; the change of ${folder} is not complete, ${String(done)} of ${String(this.#chosen.length)} frameworks were brought up to date before it`,
      {
        code,
        exit,
        hint: "fix the cause (owner, mode, space), then run the command again: it finishes that change first",
      },
    );
  }
}

function failed(folder: string, error: UserError): RegeneratedFramework {
  return { folder, actions: [], isIdle: false, isOutOfDate: false, lacksEnv: false, lacksCompose: false, error };
}

/** Whether a plan writes `.env` and nothing else. */
function isEnvAlone({ writes, removes }: Plan): boolean {
  return removes.size === 0 && [...writes.keys()].every((path) => path === ".env");
}

/** Errors that are not one framework's: nothing more can be written. */
const ENDING = new Set(["interrupted", "lock-lost"]);

/** Named ones that cannot be read are no reason to stop; a name that is nowhere is. */
function wanted(root: Root, { frameworks: names }: RegenerateRequest): readonly Framework[] {
  const broken = new Set(root.broken.map(({ folder }) => folder));
  const readable = names.filter((name) => !broken.has(name));
  return names.length > 0 && readable.length === 0 ? [] : chosenFrameworks(root, readable);
}

/** Open and new conflicts. */
async function conflictsIn(root: Root, request: RegenerateRequest): Promise<FoundConflict[]> {
  const { place } = request;
  const book = new PortBook(root, place, request);
  const found: FoundConflict[] = [];
  for (const framework of wanted(root, request)) {
    try {
      const { plan } = await planUpToDate(framework, root, book, place);
      for (const { path, action, reason } of plan.actions)
        if (action === "conflict") found.push({ path: `${framework.folder}/${path}`, reason });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
    await place.interrupt.breathe();
  }
  return found;
}

/** Files in conflict, found without the lock: it is never held while somebody thinks. */
export async function findConflicts(request: RegenerateRequest): Promise<FoundConflict[]> {
  const { root } = await openSession(request.place, { dry: true });
  return conflictsIn(root, request);
}
