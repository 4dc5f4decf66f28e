import { sha256 } from "../lib/digest.ts";
import type { Settle } from "../merge/values.ts";
import type { RenderedFile, Tree } from "../render/tree.ts";
import { isSameText, withEndsOf, type Disk, type DiskFile } from "./disk.ts";
import { CHOSEN, RESOLVED, STORED_MODE, type Action, type ActionName, type Plan, WITHOUT_BASE } from "./plan.ts";
import { storedIn } from "./stored.ts";
import { basePath, incomingPath, offeredPath, STATE_FILE } from "./state.ts";

/** What a user chose for a file in conflict: their own, or the new rendition. */
export type Decision = "ours" | "theirs";

export interface UpdateInput {
  framework: string;
  /**
   * Undefined: an update from the templates, from the base to `next`. Else a change of the spec alone: what differs
   * between this and `next`, both rendered with today's templates, is merged into the user's files
   * and into the base, so that updates of the templates that are pending stay pending.
   */
  previous: Tree | undefined;
  /** What the spec gives with today's templates. */
  next: Tree;
  /** Everything that may be concerned: the files, their `.incoming`, and what is stored below `.scaffold/`. */
  disk: Disk;
  decide: (path: string) => Decision | undefined;
  /** The text of the state file, for a plan that writes something. */
  state: () => string;
  /** Whether it is written even where nothing else is. */
  recordsState?: boolean;
  /** Asked about values of a Compose file that both sides changed; loaded when something is merged. */
  settle?: (() => Promise<Settle>) | undefined;
}

/**
 * The plan that brings a directory to what its spec and the templates give, without losing what was edited. Pure;
 * the one engine behind every command that changes a directory.
 */
export async function planUpdate(input: UpdateInput): Promise<Plan> {
  return new Update(input).run();
}

/** A change of one file: what was generated before, and what is generated now. */
interface Change {
  path: string;
  from: string | undefined;
  to: RenderedFile | undefined;
  /** The stored base, or what the user has seen of it since. */
  base: string | undefined;
}

class Update {
  readonly #input: UpdateInput;
  readonly #actions: Action[] = [];
  readonly #writes = new Map<string, RenderedFile>();
  readonly #removes = new Set<string>();
  readonly #gone: Change[] = [];
  /** Files whose conflict the user has resolved since the last run. */
  readonly #resolved = new Set<string>();
  /** What was last generated, by path. */
  readonly #base: ReadonlyMap<string, string>;
  /** The renditions that open conflicts are about, by path. */
  readonly #offered: ReadonlyMap<string, string>;

  constructor(input: UpdateInput) {
    this.#input = input;
    ({ base: this.#base, offered: this.#offered } = storedIn(input.disk));
  }

  async run(): Promise<Plan> {
    const input = this.#input;
    const sources = [input.previous?.keys() ?? [], input.next.keys(), this.#base.keys(), this.#offered.keys()];
    const paths = new Set(sources.flatMap((keys) => [...keys]).filter((path) => !WITHOUT_BASE.has(path)));
    for (const path of [...paths].toSorted()) {
      const change = this.#change(path);
      if (change.to !== undefined) {
        if (!this.#isSettled(change, change.to)) await this.#file(change, change.to);
      } else if (input.disk.has(incomingPath(path))) this.#openAndGone(path);
      // What the templates alone no longer have is an update that stays pending in a change of the spec.
      else if (input.previous === undefined || change.from !== undefined) this.#gone.push(change);
    }
    // While a conflict is open, nothing is deleted: what is in conflict may still need it.
    const open =
      this.#actions.some(({ action }) => action === "conflict") ||
      [...input.disk.keys()].some((path) => path.endsWith(incomingPath("")) && !this.#removes.has(path));
    for (const change of this.#gone) this.#vanished(change, open);
    // Bytes that stand there already are not written again.
    for (const [path, file] of this.#writes) if (input.disk.get(path)?.text === file.content) this.#writes.delete(path);
    // Not for its own sake: a new version that changes nothing here writes nothing.
    if (this.#writes.size + this.#removes.size > 0 || input.recordsState === true) {
      const state = input.state();
      if (!isSameText(input.disk.get(STATE_FILE)?.text, state)) this.#write(STATE_FILE, state);
    }
    const touched = [...this.#writes.keys(), ...this.#removes];
    return {
      framework: input.framework,
      actions: this.#actions.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      writes: this.#writes,
      removes: this.#removes,
      preconditions: new Map(touched.map((path) => [path, this.#hashOnDisk(path)])),
    };
  }

  /**
   * Keeps a file for which nothing is new, which is nearly every file of nearly every run. `#file` would say the same,
   * but waiting for it thousands of times is felt.
   */
  #isSettled({ path, from, base }: Change, { content }: RenderedFile): boolean {
    const mine = this.#input.disk.get(path);
    if (mine === undefined || this.#resolved.has(path) || this.#input.disk.has(incomingPath(path))) return false;
    if (!isSameText(from, content) || !isSameText(base, content)) return false;
    this.#act(path, "keep", isSameText(mine.text, content) ? "unchanged" : "edited by you");
    return true;
  }

  #change(path: string): Change {
    const { previous, next, disk } = this.#input;
    const resolved = disk.has(incomingPath(path)) ? undefined : this.#offered.get(path);
    // The user deleted the .incoming: the rendition in it is what the file has been brought up to.
    if (resolved !== undefined) {
      this.#write(basePath(path), resolved);
      this.#removes.add(offeredPath(path));
      this.#resolved.add(path);
    }
    const known = resolved ?? this.#base.get(path);
    return {
      path,
      from: previous === undefined ? known : previous.get(path)?.content,
      to: next.get(path),
      base: known,
    };
  }

  async #file(change: Change, to: RenderedFile): Promise<void> {
    const { path, from, base } = change;
    const { disk, decide, previous } = this.#input;
    const mine = disk.get(path);
    const now = mine?.text;
    const decision = decide(path);
    if (disk.has(incomingPath(path))) {
      if (decision === "theirs") await this.#takeIncoming(change, to);
      else if (decision === "ours") this.#resolve(change, to, decision);
      else await this.#stillOpen(change, to);
      return;
    }
    if (mine === undefined && previous !== undefined && base === undefined && from !== undefined) {
      this.#act(path, "keep", "new in the templates; regenerate makes it");
      return;
    }
    if (mine === undefined) {
      if (from === undefined && base === undefined) {
        this.#write(path, to.content, to.mode);
        this.#act(path, "create", "new");
      } else this.#act(path, "keep", "you deleted it");
      await this.#advance(change, to);
      return;
    }
    if (isSameText(from, to.content) || (isSameText(now, to.content) && previous === undefined)) {
      this.#act(path, "keep", isSameText(now, to.content) ? "unchanged" : "edited by you");
      await this.#advance(change, to);
      return;
    }
    if (isSameText(now, from) || isSameText(now, to.content)) {
      const content = withEndsOf(to.content, mine.text);
      if (content !== mine.text) this.#write(path, content, to.mode);
      this.#act(path, content === mine.text ? "keep" : "update", content === mine.text ? "unchanged" : this.#why());
      await this.#advance(change, to);
      return;
    }
    const outcome = await this.#mergeInto(change, to, mine);
    if ("conflicts" in outcome) {
      if (decision === undefined) await this.#conflict(change, to, outcome.conflicts);
      else this.#resolve(change, to, decision);
      return;
    }
    if (outcome.text === mine.text) this.#act(path, "keep", "edited by you");
    else {
      this.#write(path, outcome.text, to.mode);
      this.#act(path, "merge", `${this.#why()}; your edits stay`);
    }
    await this.#advance(change, to);
  }

  /**
   * The change merged into the user's file. Of a change of the spec alone, what is updated and pending may stand in
   * the way of it: then the change is taken from the base before and after it, which have the same pending.
   */
  async #mergeInto(
    change: Change,
    to: RenderedFile,
    mine: DiskFile,
  ): Promise<{ text: string } | { conflicts: string[] }> {
    const { path, from, base } = change;
    const outcome = await this.#merge(path, mine.text, mine.exact, from, to.content);
    if ("text" in outcome || this.#input.previous === undefined || base === undefined) return outcome;
    const next = await this.#nextBase(change, to);
    if (next === undefined) return outcome;
    if (isSameText(mine.text, base)) return { text: withEndsOf(next, mine.text) };
    const again = await this.#merge(path, mine.text, mine.exact, base, next);
    return "text" in again ? again : outcome;
  }

  async #merge(
    path: string,
    ours: string,
    exact: boolean,
    from: string | undefined,
    to: string,
    prefer?: "theirs",
  ): Promise<{ text: string } | { conflicts: string[] }> {
    if (from === undefined) return { conflicts: ["nothing is known of what was generated before"] };
    if (!exact) return { conflicts: ["the file is not UTF-8 text"] };
    const { mergeFile } = await import("../merge/merge.ts");
    return mergeFile(path, ours, from, to, prefer, await this.#input.settle?.());
  }

  /** The base after this change. */
  async #nextBase({ path, from, base }: Change, to: RenderedFile): Promise<string | undefined> {
    if (this.#input.previous === undefined) return to.content;
    // A file that was not generated yet has no base before regenerate; only one that the spec brings has one at once.
    if (base === undefined) return from === undefined ? to.content : undefined;
    if (isSameText(base, from) || isSameText(base, to.content)) return to.content;
    if (isSameText(from, to.content)) return base;
    // No person wrote any of the three, so where they overlap, the new one is right.
    const outcome = await this.#merge(path, base, true, from, to.content, "theirs");
    return "text" in outcome ? outcome.text : undefined;
  }

  async #advance(change: Change, to: RenderedFile): Promise<void> {
    const next = await this.#nextBase(change, to);
    // Where it cannot be merged into the base, the base stays: the same change on both sides is no conflict later.
    const path = basePath(change.path);
    const current = this.#writes.get(path)?.content ?? this.#base.get(change.path);
    if (next !== undefined && !isSameText(next, current))
      this.#write(path, current === undefined ? next : withEndsOf(next, current));
  }

  async #conflict(change: Change, to: RenderedFile, conflicts: readonly string[]): Promise<void> {
    const { path } = change;
    const offer = (await this.#nextBase(change, to)) ?? to.content;
    this.#write(incomingPath(path), offer);
    this.#write(offeredPath(path), offer);
    const where = conflicts.length > 3 ? [...conflicts.slice(0, 3), `${String(conflicts.length - 3)} more`] : conflicts;
    this.#act(path, "conflict", `${where.join("; ")}; the new one is in ${incomingPath(path)}`);
  }

  /** A conflict of an earlier run. What is offered follows the templates and the spec while nobody edited it. */
  async #stillOpen(change: Change, to: RenderedFile): Promise<void> {
    const { path, from } = change;
    const { disk, previous } = this.#input;
    const mine = disk.get(path);
    if (previous !== undefined && mine !== undefined && !isSameText(from, to.content)) {
      const outcome = await this.#mergeInto(change, to, mine);
      if ("text" in outcome && outcome.text !== mine.text) this.#write(path, outcome.text, to.mode);
    }
    const old = this.#offered.get(path);
    // What was edited in the .incoming is being resolved: a newer rendition would be taken for seen.
    const offer = isSameText(disk.get(incomingPath(path))?.text, old)
      ? await this.#nextBase({ ...change, base: old }, to)
      : undefined;
    if (offer !== undefined && !isSameText(offer, old)) {
      this.#write(offeredPath(path), offer);
      this.#write(incomingPath(path), offer);
    }
    this.#act(path, "conflict", `still open: edit it, then delete ${incomingPath(path)}`);
  }

  /** An open conflict about a file that is no longer generated: what the new one is, is nothing. */
  #openAndGone(path: string): void {
    const { disk, decide } = this.#input;
    const decision = decide(path);
    if (decision === undefined) {
      this.#act(path, "conflict", `still open, and no longer generated: delete ${incomingPath(path)} to keep yours`);
      return;
    }
    for (const gone of [incomingPath(path), offeredPath(path), basePath(path)])
      if (disk.has(gone)) this.#removes.add(gone);
    if (decision === "theirs" && disk.has(path)) this.#removes.add(path);
    this.#act(
      path,
      decision === "theirs" ? "delete" : "keep",
      decision === "theirs" ? "the new one was chosen" : CHOSEN,
    );
  }

  /** Takes the `.incoming` as it lies there, with what somebody wrote into it, and what is newer than it. */
  async #takeIncoming(change: Change, to: RenderedFile): Promise<void> {
    const { path } = change;
    const incoming = this.#input.disk.get(incomingPath(path));
    const seen = this.#offered.get(path);
    if (incoming === undefined || seen === undefined || isSameText(incoming.text, seen)) {
      this.#resolve(change, to, "theirs");
      return;
    }
    const newer = await this.#merge(path, incoming.text, incoming.exact, seen, to.content);
    this.#close(path, "text" in newer ? to.content : seen);
    this.#write(path, "text" in newer ? newer.text : incoming.text, to.mode);
    this.#act(path, "update", `${incomingPath(path)} was used, with your edits`);
  }

  /** Takes the signs of a conflict away; from here on, `base` is what the file has been brought up to. */
  #close(path: string, base: string): void {
    if (this.#input.disk.has(incomingPath(path))) this.#removes.add(incomingPath(path));
    if (this.#offered.has(path)) this.#removes.add(offeredPath(path));
    if (!isSameText(this.#base.get(path), base)) this.#write(basePath(path), base);
  }

  #resolve({ path }: Change, to: RenderedFile, decision: Decision): void {
    this.#close(path, to.content);
    if (decision === "ours") {
      this.#act(path, "keep", CHOSEN);
      return;
    }
    const now = this.#input.disk.get(path)?.text;
    const content = withEndsOf(to.content, now ?? "");
    if (content !== now) this.#write(path, content, to.mode);
    this.#act(path, "update", "the new one was chosen");
  }

  /** A file that is no longer generated. */
  #vanished({ path, from, base }: Change, open: boolean): void {
    const mine = this.#input.disk.get(path);
    const now = mine?.text;
    const untouched = mine?.exact === true && (isSameText(now, from) || isSameText(now, base));
    if (mine !== undefined && untouched && open) {
      this.#act(path, "keep", "no longer generated; it goes once no conflict is open");
      return;
    }
    if (mine !== undefined && untouched) {
      this.#removes.add(path);
      this.#act(path, "delete", "no longer generated");
    } else if (mine !== undefined) this.#act(path, "keep", "no longer generated, but edited by you: it is yours now");
    if (this.#base.has(path)) this.#removes.add(basePath(path));
    this.#writes.delete(basePath(path));
  }

  #why(): string {
    return this.#input.previous === undefined ? "the spec or the templates changed" : "the spec changed";
  }

  #write(path: string, content: string, mode: number = STORED_MODE): void {
    this.#writes.set(path, { content, mode });
  }

  #act(path: string, action: ActionName, reason: string): void {
    const file = this.#input.disk.get(path);
    const written = this.#writes.get(path);
    const removed = this.#removes.has(path);
    const resolved = this.#resolved.has(path) && action === "keep";
    // Made only when somebody looks: most files of most runs are kept, and nobody asks for their digests.
    this.#actions.push({
      path,
      action,
      reason: resolved ? RESOLVED : reason,
      get before() {
        return file?.sha256 ?? null;
      },
      get after() {
        if (removed) return null;
        return written === undefined ? (file?.sha256 ?? null) : sha256(written.content);
      },
    });
  }

  #hashOnDisk(path: string): string | null {
    return this.#input.disk.get(path)?.sha256 ?? null;
  }
}
