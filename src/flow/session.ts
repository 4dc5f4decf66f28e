import type { Recovered } from "../apply/recover.ts";
import type { Writer } from "../apply/writer.ts";
import { isNothing, NOTHING, type Transaction } from "../apply/transaction.ts";
import { asUserError } from "../lib/errors.ts";
import { portAllocation, PORT_TABLE_FILE } from "../render/port-table.ts";
import { MODE } from "../render/tree.ts";
import { checkRoot, readRoot, type Root } from "../root/root.ts";
import type { Spec } from "../spec/schema.ts";
import { hasJournal } from "../store/journal.ts";
import { readPortTable } from "../store/port-table.ts";
import type { Change } from "./change.ts";
import type { Place } from "./place.ts";
import { recoveryNotes } from "./recovery.ts";

/**
 * The only way that anything gets written: the root locked, what was interrupted before finished, everything read
 * once. A use case decides from `root` and commits, as often as it changes something that is complete in itself.
 */
export interface Session {
  readonly root: Root;
  /** What is to be said before the result: what became of an interrupted change, what is wrong with the root. */
  readonly notes: readonly string[];
  /** What an interrupted change came to that this session has finished; undefined when there was none. */
  readonly recovered: Recovered | undefined;
  /** Whether PORT_ALLOCATION.md is what the specs give, as they are after the last commit. */
  readonly isTableCurrent: boolean;
  /** Whether there is a PORT_ALLOCATION.md. */
  readonly hasTable: boolean;
  /** Whether it is a dry run: `commit` only checks that everything could be written. */
  readonly isDry: boolean;
  /** Whether a change could be carried out only in part: the next command finishes it, this one commits no more. */
  readonly isStuck: boolean;
  /**
   * Writes the changes and the port table that belongs to them: all of it, or nothing.
   * @param done what is to be said of a signal that came before it
   * @throws UserError when a file changed meanwhile, the lock was lost, a signal came, or the disk refuses
   */
  commit: (changes: readonly Change[], done?: string) => Promise<void>;
  /** For a command that fails, and so has no result to say it with: what became of an interrupted change. */
  sayRecovered: () => void;
  /** Gives the lock back. */
  close: () => Promise<void>;
}

/**
 * Opens a session. One that is dry takes no lock, finishes nothing and writes nothing.
 * @throws UserError exit 2 for what cannot be a root, exit 1 when the lock is not given up
 */
export async function openSession(place: Place, { dry }: { dry: boolean }): Promise<Session> {
  const { root: dir, shown, catalogue } = place;
  checkRoot(dir, shown);
  if (dry) return new OpenSession(place, await readRoot(dir, shown, catalogue), undefined, recoveryNotes(dir));
  const { takeLock } = await import("../apply/lock.ts");
  const { Writer: OneWriter } = await import("../apply/writer.ts");
  const writer = new OneWriter(dir, await takeLock(dir, shown, place));
  try {
    const recovered = hasJournal(dir) ? recover(writer, place) : undefined;
    const notes = recovered === undefined ? [] : recoveryNotes(dir, recovered);
    const session = new OpenSession(place, await readRoot(dir, shown, catalogue), writer, notes, recovered);
    // Whatever becomes of this command, the table is to be right after an interrupted one.
    if (notes.length > 0) await session.commit([]);
    return session;
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** Runs a use case in a session, and closes it whatever happens. */
export async function inSession<T>(
  place: Place,
  options: { dry: boolean },
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(place, options);
  try {
    return await work(session);
  } catch (error) {
    session.sayRecovered();
    throw error;
  } finally {
    await session.close();
  }
}

function recover(writer: Writer, { shown }: Place): Recovered | undefined {
  try {
    return writer.recover();
  } catch (error) {
    throw asUserError(error, shown);
  }
}

class OpenSession implements Session {
  readonly root: Root;
  readonly notes: readonly string[];
  readonly recovered: Recovered | undefined;
  readonly #place: Place;
  readonly #writer: Writer | undefined;
  readonly #recovered: readonly string[];
  #specs: ReadonlyMap<string, Spec>;
  /** The table on disk, read when it is needed; null when there is none. */
  #table: string | null | undefined;
  /** What the table is to be; made when somebody asks, and again when a spec has changed. */
  #tableWanted: string | undefined;

  constructor(place: Place, root: Root, writer: Writer | undefined, notes: readonly string[], recovered?: Recovered) {
    this.root = root;
    this.recovered = recovered;
    this.#place = place;
    this.#writer = writer;
    this.#recovered = writer === undefined ? [] : notes;
    this.#specs = new Map(root.frameworks.map(({ folder, spec }) => [folder, spec]));
    this.notes = this.isDry ? notes : [...notes, ...aboutBroken(root)];
  }

  get isDry(): boolean {
    return this.#writer === undefined;
  }

  get isStuck(): boolean {
    return this.#writer?.isStuck ?? false;
  }

  get hasTable(): boolean {
    return this.#tableOnDisk() !== null;
  }

  get isTableCurrent(): boolean {
    // A broken framework.yaml says nothing of its ports: the table that is there is better.
    if (this.root.broken.length > 0) return true;
    const table = this.#tableOnDisk();
    return table === null ? this.#specs.size === 0 : table === this.#wantedTable();
  }

  async commit(changes: readonly Change[], done?: string): Promise<void> {
    // A turn of the event loop: a signal that came while this was planned is noticed before it is written.
    await this.#place.interrupt.breathe(() => done ?? "nothing was changed");
    const before = this.#specs;
    this.#take(changes);
    const text = this.isTableCurrent ? undefined : this.#wantedTable();
    const transaction = transactionOf(changes, text);
    if (isNothing(transaction)) return;
    try {
      if (this.#writer !== undefined) {
        this.#writer.commit(transaction);
        this.#table = text ?? this.#table;
        return;
      }
      // A dry run refuses what the real one would refuse.
      const { requireApplicable } = await import("../apply/commit.ts");
      requireApplicable(this.root.dir, transaction);
    } catch (error) {
      this.#specs = before;
      this.#tableWanted = undefined;
      const [only, more] = changes;
      const where = only === undefined || more !== undefined ? "" : `/${only.folder}`;
      throw asUserError(error, `${this.root.shown}${where}`);
    }
  }

  sayRecovered(): void {
    for (const note of this.#recovered) this.#place.onNote(note);
  }

  async close(): Promise<void> {
    await this.#writer?.close();
  }

  /** The specs as they are after these changes. */
  #take(changes: readonly Change[]): void {
    if (changes.every(({ folder, spec }) => spec !== undefined && this.#specs.get(folder) === spec)) return;
    const specs = new Map(this.#specs);
    for (const { folder, spec } of changes) {
      if (spec === undefined) specs.delete(folder);
      else specs.set(folder, spec);
    }
    this.#specs = specs;
    this.#tableWanted = undefined;
  }

  #tableOnDisk(): string | null {
    if (this.#table === undefined) this.#table = readPortTable(this.root.dir, this.root.shown) ?? null;
    return this.#table;
  }

  #wantedTable(): string {
    return (this.#tableWanted ??= portAllocation([...this.#specs.values()], this.#place.catalogue));
  }
}

/** One broken directory stops no command about another, but its ports are not all known. */
function aboutBroken({ broken }: Root): string[] {
  if (broken.length === 0) return [];
  return [
    ...broken.map(({ error }) => `warning: ${error.message}`),
    `warning: of the ports of ${broken.map(({ folder }) => folder).join(", ")}, only those in compose files are known; ${PORT_TABLE_FILE} stays as it was`,
  ];
}

function transactionOf(changes: readonly Change[], table: string | undefined): Transaction {
  const directories = new Map(NOTHING.directories);
  const writes = new Map(NOTHING.writes);
  const removes = new Set(NOTHING.removes);
  const preconditions = new Map(NOTHING.preconditions);
  for (const { folder, framework, plan, disk } of changes) {
    // A directory that holds nothing yet is made whole; in one that holds something, file by file.
    if (framework === undefined && disk.size === 0 && plan.preconditions.get(".env") === null) {
      directories.set(folder, plan.writes);
      continue;
    }
    for (const [path, file] of plan.writes) writes.set(`${folder}/${path}`, file);
    for (const path of plan.removes) removes.add(`${folder}/${path}`);
    for (const [path, digest] of plan.preconditions) preconditions.set(`${folder}/${path}`, digest);
  }
  const derived = new Map(table === undefined ? [] : [[PORT_TABLE_FILE, { content: table, mode: MODE.file }]]);
  return { directories, writes, removes, preconditions, derived };
}
