import { isScalar } from "yaml";

import { yamlValue } from "../lib/yaml-documents.ts";
import { commentsIn, commentsOfEntry, holdsComments, isLinked } from "./comments.ts";
import { flowEntry, flowValue, rebuiltFlow } from "./flow.ts";
import { isAtom, isSame, type Path } from "./identity.ts";
import { outlineOf, type Entry, type Outline, type Range, type Value } from "./outline.ts";
import { applySplices, CannotSplice, reindent, reindentRest, withLineEnds, type Splice } from "./splice.ts";
import { mergeTrivia } from "./trivia.ts";
import { mergeValues, type Settle } from "./values.ts";

/** A merged text, or the places that both sides changed in different ways. */
export type Outcome = { text: string } | { conflicts: string[] };

/** The same with the values of the user's file and of the merged one. */
export type YamlOutcome = { text: string; before: unknown; after: unknown } | { conflicts: string[] };

/**
 * Three-way merge of a YAML file by its structure. What `theirs` changed since `base` is spliced into the text of
 * `ours` by source ranges, so that every other byte stays. The result is parsed again: it must hold what the plain
 * values add up to, and every comment; where it does not, the merge is a conflict.
 * @param prefer `theirs`: where both changed the same place, theirs is taken
 * @param settle asked about each value that both sides changed
 */
export function mergeYaml(ours: string, base: string, theirs: string, prefer?: "theirs", settle?: Settle): YamlOutcome {
  const [o, b, t] = [ours, base, theirs].map(outlineOf);
  if (o === undefined || b === undefined || t === undefined) {
    return {
      conflicts: [o === undefined ? "the file is not YAML that can be merged" : "the template is not a YAML mapping"],
    };
  }
  const values = mergeValues(o.root.js, b.root.js, t.root.js, prefer, settle);
  if (values.conflicts.length > 0) return { conflicts: values.conflicts.map(shown) };
  try {
    const merge = new YamlMerge(o, b, t, prefer, settle);
    const text = merge.run();
    const merged = yamlValue(text);
    if (merged === undefined || !isSame(merged, values.value))
      return { conflicts: ["an anchor, alias or unusual layout stands in the way"] };
    if (prefer === undefined && !holdsComments(text, ours, base, theirs, merge.dropped))
      return { conflicts: ["a comment would be lost or stand there twice"] };
    return { text, before: o.root.js, after: merged };
  } catch (error) {
    if (error instanceof CannotSplice) return { conflicts: [error.message] };
    throw error;
  }
}

/** A path for people: `services.qdrant.image`. */
function shown(path: Path): string {
  return path.length === 0 ? "the whole file" : path.map((part) => part.replace(/^(?:= "?|\w+ )|"$/g, "")).join(".");
}

/** One entry in the three versions. */
interface Three {
  o: Entry;
  b: Entry;
  t: Entry;
  /** Whether ours lies in a flow collection. */
  inFlow: boolean;
}

class YamlMerge {
  readonly #ours: Outline;
  readonly #base: Outline;
  readonly #theirs: Outline;
  readonly #splices: Splice[] = [];
  readonly #prefer: "theirs" | undefined;
  readonly #settle: Settle | undefined;
  /** Comments inside what ours deleted and theirs still has. */
  readonly dropped = { base: [] as string[], theirs: [] as string[] };

  constructor(ours: Outline, base: Outline, theirs: Outline, prefer: "theirs" | undefined, settle: Settle | undefined) {
    this.#prefer = prefer;
    this.#settle = settle;
    this.#ours = ours;
    this.#base = base;
    this.#theirs = theirs;
  }

  /** @throws CannotSplice */
  run(): string {
    const [o, b, t] = [this.#ours, this.#base, this.#theirs];
    this.#trivia([o.head, b.head, t.head], 0, "lead", ["the head of the file"]);
    this.#entries(o.root, b.root, t.root, undefined, []);
    this.#trivia([o.rest, b.rest, t.rest], 0, "lead", ["the end of the file"]);
    return applySplices(o.text, this.#splices);
  }

  #entries(o: Value, b: Value, t: Value, owner: Three | undefined, path: Path): void {
    const [mine, before, after] = [o, b, t].map((value) => byId(value.entries ?? [])) as [Entries, Entries, Entries];
    const gone = (o.entries ?? []).filter(({ id }) => before.has(id) && !after.has(id));
    for (const entry of gone) this.#mustBeUnchanged(entry, before.get(entry.id), [...path, entry.id]);
    const added: { entry: Entry; after: Entry | undefined }[] = [];
    let previous: Entry | undefined;
    const shared: Three[] = [];
    for (const entry of t.entries ?? []) {
      const [same, old] = [mine.get(entry.id), before.get(entry.id)];
      if (same !== undefined && old !== undefined) shared.push({ o: same, b: old, t: entry, inFlow: o.flow });
      else if (same === undefined && (old === undefined || this.#isOverruled(old, entry)))
        added.push({ entry, after: previous });
      else if (same === undefined && old !== undefined) {
        this.dropped.base.push(...commentsOfEntry(this.#base.text, old).split("\n"));
        this.dropped.theirs.push(...commentsOfEntry(this.#theirs.text, entry).split("\n"));
      }
      previous = same ?? previous;
    }
    if (gone.length > 0 && gone.length === (o.entries ?? []).length && (added.length === 0 || !o.flow)) {
      // Nothing of it is left: `key:` alone would be null, so its new content is taken as theirs writes it.
      if (owner === undefined) throw new CannotSplice("nothing would be left");
      this.#replace(owner);
      return;
    }
    if (o.flow && gone.length > 0) {
      if (shared.some((three) => !this.#isUntouched(three)))
        throw new CannotSplice(`${shown(path)} is written in one line`);
      const items = added.map((each) => ({
        item: flowEntry(this.#theirs.text, each.entry, t.kind),
        after: each.after,
      }));
      this.#splice(o.text, rebuiltFlow(this.#ours.text, o, new Set(gone), items), "entry");
      return;
    }
    // In the order of theirs, so that what is inserted at one place stands in that order.
    let next = 0;
    for (const entry of t.entries ?? []) {
      const three = shared.find((each) => each.t === entry);
      if (three !== undefined) this.#entry(three, [...path, entry.id]);
      const fresh = added[next];
      if (fresh?.entry !== entry) continue;
      this.#insert(o, t, entry, fresh.after);
      next += 1;
    }
    for (const entry of gone) {
      if (!entry.wholeLines) throw new CannotSplice("what is to be removed shares its line");
      this.#splice({ start: entry.lead.start, end: entry.end }, "", "entry");
    }
  }

  /** What ours does not have and theirs changed: comes back only where theirs is preferred. */
  #isOverruled(base: Entry, theirs: Entry): boolean {
    return this.#prefer !== undefined && !isSame(base.value.js, theirs.value.js);
  }

  /** What theirs left as it was need not be looked into. */
  #isUntouched({ b, t }: Three): boolean {
    return sourceOf(this.#base, b) === sourceOf(this.#theirs, t);
  }

  #entry(three: Three, path: Path): void {
    if (this.#isUntouched(three)) return;
    const { o, b, t } = three;
    const entries = [o, b, t];
    const lines = entries.every(({ wholeLines }) => wholeLines);
    const at = column(this.#ours, o);
    if (lines)
      this.#trivia(
        entries.map(({ lead }) => lead),
        at,
        "lead",
        path,
      );
    this.#value(three, path);
    if (lines)
      this.#trivia(
        entries.map(({ tail, end }) => ({ start: tail, end })),
        at,
        "tail",
        path,
      );
  }

  #value(three: Three, path: Path): void {
    const [o, b, t] = [three.o.value, three.b.value, three.t.value];
    const values = [o, b, t];
    // An empty list can only be written as `[]`. Items with keys of their own go on lines of their own, not in brackets.
    if (!three.inFlow && isEmptyFlow(o) && isEmptyFlow(b) && isBlockOfBlocks(t) && o.comment.start === o.comment.end) {
      this.#replace(three);
      return;
    }
    const byEntry = values.every(({ entries, keyed }) => entries !== undefined && keyed);
    if (byEntry && o.kind === b.kind && b.kind === t.kind && !isAtom(path)) {
      this.#comment(three, path);
      this.#entries(o, b, t, three, path);
      return;
    }
    if (values.every(isPlainScalar)) {
      this.#scalar(three, path);
      this.#comment(three, path);
      return;
    }
    const reworded = commentsIn(this.#base.text, b) !== commentsIn(this.#theirs.text, t);
    const changed = !isSame(b.js, t.js, path);
    if (!changed && !reworded) return;
    if (this.#prefer === undefined) {
      const known = commentsIn(this.#ours.text, o) === commentsIn(this.#base.text, b);
      if (isSame(o.js, t.js, path) && (changed || !reworded)) return;
      if (isLinked(o.node)) throw new CannotSplice(`${shown(path)} has an anchor or alias in your file`);
      if (!known || !isSame(o.js, b.js, path)) throw new CannotSplice(`${shown(path)} was changed on both sides`);
      if (!changed && o.flow !== b.flow)
        throw new CannotSplice(`${shown(path)} is written in another style in your file`);
    }
    this.#replace(three);
  }

  #scalar({ o, b, t, inFlow }: Three, path: Path): void {
    if (isSame(b.value.js, t.value.js) || isSame(o.value.js, t.value.js)) return;
    const settled = isSame(o.value.js, b.value.js) ? undefined : this.#settled({ o, b, t }, path);
    if (settled === o.value.js) return;
    const written = this.#theirs.text.slice(t.value.text.start, t.value.text.end);
    // JSON is YAML: a text in double quotes is right wherever it stands.
    const source = settled === undefined || settled === t.value.js ? written : plainOrQuoted(settled, inFlow);
    // Without the anchor or tag that may stand before it.
    const own = o.value.node?.range ?? undefined;
    const { start, end } = own === undefined || own[1] === own[0] ? o.value.text : { start: own[0], end: own[1] };
    // `key:` without a value has no blank behind the colon.
    const gap = start === end && this.#ours.text[start - 1] === ":" ? " " : "";
    const text = inFlow ? flowValue(source, t.value) : source;
    this.#splice({ start, end }, gap + reindentRest(text, column(this.#ours, o) - column(this.#theirs, t)), "entry");
  }

  #settled({ o, b, t }: Pick<Three, "o" | "b" | "t">, path: Path): string | undefined {
    return this.#settle?.(path, { ours: o.value.js, base: b.value.js, theirs: t.value.js });
  }

  /** The comment on an entry's own line. */
  #comment({ o, b, t }: Three, path: Path): void {
    const [mine, before, after] = [
      slice(this.#ours, o.value.comment),
      slice(this.#base, b.value.comment),
      slice(this.#theirs, t.value.comment),
    ];
    if (before.trim() === after.trim() || mine.trim() === after.trim()) return;
    if (mine.trim() !== before.trim() && this.#prefer === undefined)
      throw new CannotSplice(`${shown(path)}: the comment was changed on both sides`);
    this.#splice(o.value.comment, after, "entry");
  }

  /** Comment and blank lines at one place. */
  #trivia(ranges: readonly Range[], indent: number, rank: Splice["rank"], path: Path): void {
    const [range, base, theirs] = ranges;
    if (range === undefined || base === undefined || theirs === undefined) return;
    const texts = {
      ours: slice(this.#ours, range),
      base: slice(this.#base, base),
      theirs: slice(this.#theirs, theirs),
    };
    try {
      const text = mergeTrivia(texts, indent, this.#ours.text, this.#prefer);
      if (text !== undefined) this.#splices.push({ ...range, text: this.#opened(range, text), rank });
    } catch (error) {
      throw error instanceof CannotSplice ? new CannotSplice(`${shown(path)}: ${error.message}`) : error;
    }
  }

  #insert(o: Value, t: Value, entry: Entry, previous: Entry | undefined): void {
    const first = o.entries?.[0];
    if (o.flow) {
      if (/[\s,[{]#/.test(slice(this.#ours, o.text))) throw new CannotSplice("a comment stands in a flow collection");
      const item = flowEntry(this.#theirs.text, entry, t.kind);
      if (previous !== undefined) this.#splice({ start: previous.end, end: previous.end }, `, ${item}`, "entry");
      else if (first === undefined) this.#splice({ start: o.text.end - 1, end: o.text.end - 1 }, item, "entry");
      else this.#splice({ start: first.start, end: first.start }, `${item}, `, "entry");
      return;
    }
    const place = previous?.end ?? first?.lead.start;
    if (place === undefined || (previous === undefined && first?.wholeLines !== true))
      throw new CannotSplice("there is no place for what is new");
    this.#splice({ start: place, end: place }, this.#blockText(entry, t, o.indent), "entry");
  }

  /** A new entry as whole lines at the given column. */
  #blockText(entry: Entry, collection: Value, indent: number): string {
    const { text } = this.#theirs;
    if (entry.wholeLines) {
      const block = text.slice(entry.lead.start, entry.end);
      return reindent(block.endsWith("\n") ? block : `${block}\n`, indent - collection.indent);
    }
    if (!collection.flow) throw new CannotSplice("what is new begins in the middle of a line");
    const dash = collection.kind === "list" ? "- " : "";
    return `${" ".repeat(indent)}${dash}${text.slice(entry.start, entry.end)}\n`;
  }

  /** Takes the whole value of an entry as theirs writes it. */
  #replace({ o, b, t, inFlow }: Three): void {
    if (this.#prefer === undefined && commentsIn(this.#ours.text, o.value) !== commentsIn(this.#base.text, b.value))
      throw new CannotSplice("a comment of yours stands in what was replaced");
    if (inFlow || !o.wholeLines || !t.wholeLines) {
      const plain = slice(this.#theirs, t.value.text);
      if (!inFlow && (plain.includes("\n") || t.value.kind !== "scalar"))
        throw new CannotSplice("what was replaced begins in the middle of a line");
      this.#splice(o.value.text, inFlow ? flowValue(plain, t.value) : plain, "entry");
      return;
    }
    const source = this.#theirs.text.slice(t.afterMark, t.tail);
    // Entries go to the column where ours has its own; without any there, the keys decide.
    const below = isBlock(o.value) && isBlock(t.value);
    const by = below ? o.value.indent - t.value.indent : column(this.#ours, o) - column(this.#theirs, t);
    const block = reindentRest(source, by).replace(/\n$/, "");
    const end = Math.max(o.tail, o.afterMark);
    const closed = this.#ours.text[end - 1] === "\n";
    this.#splice({ start: o.afterMark, end }, closed ? `${block}\n` : block, "entry");
  }

  /** @throws CannotSplice when a comment or an anchor of the user would go with what is removed */
  #mustBeUnchanged(entry: Entry, base: Entry | undefined, path: Path): void {
    if (this.#prefer !== undefined) return;
    if (isLinked(entry.value.node)) throw new CannotSplice(`${shown(path)} has an anchor or alias in your file`);
    const own = commentsOfEntry(this.#ours.text, entry);
    const known = base === undefined ? "" : commentsOfEntry(this.#base.text, base);
    if (own !== known) throw new CannotSplice(`${shown(path)}: a comment of yours stands in what was removed`);
  }

  #splice(range: Range, text: string, rank: Splice["rank"]): void {
    this.#splices.push({ ...range, text: this.#opened(range, withLineEnds(text, this.#ours.text)), rank });
  }

  /** A file may end without a line end; lines that follow its last one need it. */
  #opened({ start, end }: Range, text: string): string {
    const { text: whole } = this.#ours;
    const open =
      start === end && start === whole.length && whole !== "" && !whole.endsWith("\n") && text.endsWith("\n");
    return open ? withLineEnds(`\n${text.replace(/\r?\n$/, "")}`, whole) : text;
  }
}

type Entries = ReadonlyMap<string, Entry>;

function byId(entries: readonly Entry[]): Entries {
  return new Map(entries.map((entry) => [entry.id, entry]));
}

function isEmptyFlow({ flow, entries }: Value): boolean {
  return flow && entries?.length === 0;
}

function isBlockOfBlocks(value: Value): boolean {
  return isBlock(value) && (value.entries ?? []).some((entry) => entry.value.kind !== "scalar");
}

function isBlock({ flow, entries }: Value): boolean {
  return !flow && (entries ?? []).length > 0;
}

function isPlainScalar({ node, kind }: Value): boolean {
  const block = isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
  return kind === "scalar" && !block;
}

function sourceOf({ text }: Outline, { lead, end }: Entry): string {
  return text.slice(lead.start, end);
}

function slice({ text }: Outline, { start, end }: Range): string {
  return text.slice(start, end);
}

function column({ text }: Outline, { start }: Entry): number {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  return start - (lineStart === 0 && text.startsWith("\uFEFF") ? 1 : lineStart);
}

/** A text as YAML: plain where it can be read as nothing else. */
function plainOrQuoted(text: string, inFlow: boolean): string {
  return !inFlow && /^[\w./@$][\w./@${}:-]*$/.test(text) ? text : JSON.stringify(text);
}
