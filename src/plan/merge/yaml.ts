import { isAlias, isCollection, isNode, isPair, isScalar } from "yaml";

import { isAtom, isSame, type Path } from "./identity.ts";
import { mergeLines } from "./lines.ts";
import { outlineOf, type Entry, type Outline, type Range, type Value } from "./outline.ts";
import { applySplices, CannotSplice, reindent, triviaLines, withLineEnds, type Splice } from "./splice.ts";
import { mergeValues } from "./values.ts";

/** A merged text, or the places that both sides changed in different ways. */
export type Outcome = { text: string } | { conflicts: string[] };

/** The same with the values of the user's file and of the merged one. */
export type YamlOutcome = { text: string; before: unknown; after: unknown } | { conflicts: string[] };

/**
 * Three-way merge of a YAML file by its structure. What `theirs` changed since `base` is spliced into the text of
 * `ours` by source ranges, so that every other byte stays. The result is parsed again and must hold what the
 * plain values add up to; where it does not, the merge is a conflict.
 */
export function mergeYaml(ours: string, base: string, theirs: string, prefer?: "theirs"): YamlOutcome {
  const [o, b, t] = [ours, base, theirs].map(outlineOf);
  if (o === undefined || b === undefined || t === undefined) {
    return {
      conflicts: [o === undefined ? "the file is not YAML that can be merged" : "the template is no YAML mapping"],
    };
  }
  const values = mergeValues(o.root.js, b.root.js, t.root.js, prefer);
  if (values.conflicts.length > 0) return { conflicts: values.conflicts.map(shown) };
  try {
    const text = new YamlMerge(o, b, t, prefer).run();
    const merged = outlineOf(text);
    if (merged !== undefined && isSame(merged.root.js, values.value))
      return { text, before: o.root.js, after: merged.root.js };
    return { conflicts: ["an anchor, alias or unusual layout stands in the way"] };
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
}

class YamlMerge {
  readonly #ours: Outline;
  readonly #base: Outline;
  readonly #theirs: Outline;
  readonly #splices: Splice[] = [];
  readonly #prefer: "theirs" | undefined;

  constructor(ours: Outline, base: Outline, theirs: Outline, prefer: "theirs" | undefined) {
    this.#prefer = prefer;
    this.#ours = ours;
    this.#base = base;
    this.#theirs = theirs;
  }

  /** @throws CannotSplice */
  run(): string {
    const [o, b, t] = [this.#ours, this.#base, this.#theirs];
    this.#entries(o.root, b.root, t.root, undefined, []);
    this.#trivia(o.rest, b.rest, t.rest, 0, []);
    return applySplices(o.text, this.#splices);
  }

  #entries(o: Value, b: Value, t: Value, owner: Three | undefined, path: Path): void {
    if (o.flow !== b.flow && comments(this.#base.text, b) !== comments(this.#theirs.text, t))
      throw new CannotSplice(`${shown(path)}: a comment cannot be put into the flow style`);
    const [mine, before, after] = [o, b, t].map((value) => byId(value.entries ?? []));
    if (mine === undefined || before === undefined || after === undefined) return;
    const gone = (o.entries ?? []).filter(({ id }) => before.has(id) && !after.has(id));
    const added = (t.entries ?? []).filter(({ id }) => !before.has(id) && !mine.has(id));
    if (gone.length === (o.entries ?? []).length && added.length === 0 && gone.length > 0) {
      // Nothing is left: `key:` alone would be null, so the emptiness is written as theirs writes it.
      if (owner === undefined) throw new CannotSplice("nothing would be left");
      for (const entry of gone) this.#mustBeUnchanged(entry, before.get(entry.id), [...path, entry.id]);
      this.#replace(owner);
      return;
    }
    let previous: Entry | undefined;
    for (const entry of t.entries ?? []) {
      const [same, old] = [mine.get(entry.id), before.get(entry.id)];
      if (same !== undefined && old !== undefined) this.#entry({ o: same, b: old, t: entry }, [...path, entry.id]);
      else if (same === undefined && (old === undefined || this.#isOverruled(old, entry)))
        this.#insert(o, t, entry, previous);
      previous = same ?? previous;
    }
    for (const entry of gone) {
      this.#mustBeUnchanged(entry, before.get(entry.id), [...path, entry.id]);
      this.#remove(o, entry);
    }
  }

  /** What ours does not have and theirs changed: comes back only where theirs is preferred. */
  #isOverruled(base: Entry, theirs: Entry): boolean {
    return this.#prefer !== undefined && !isSame(base.value.js, theirs.value.js);
  }

  #entry(three: Three, path: Path): void {
    const { o, b, t } = three;
    // What theirs left as it was need not be looked into.
    if (sourceOf(this.#base, b) === sourceOf(this.#theirs, t)) return;
    if (o.wholeLines && b.wholeLines && t.wholeLines) this.#trivia(o.lead, b.lead, t.lead, column(this.#ours, o), path);
    this.#value(three, path);
    if (isLeaf(o) && isLeaf(b) && isLeaf(t)) {
      const range = ({ tail, end }: Entry): Range => ({ start: tail, end });
      this.#trivia(range(o), range(b), range(t), o.value.indent, path);
    }
  }

  #value(three: Three, path: Path): void {
    const [o, b, t] = [three.o.value, three.b.value, three.t.value];
    const values = [o, b, t];
    const byEntry = values.every(({ entries, keyed }) => entries !== undefined && keyed);
    if (byEntry && o.kind === b.kind && b.kind === t.kind && o.kind !== "scalar" && !isAtom(path)) {
      this.#comment(three, path);
      this.#entries(o, b, t, three, path);
      return;
    }
    if (values.every(isPlainScalar)) {
      this.#scalar(three);
      this.#comment(three, path);
      return;
    }
    const changed = !isSame(b.js, t.js, path) || comments(this.#base.text, b) !== comments(this.#theirs.text, t);
    if (!changed || isSame(o.js, t.js, path)) return;
    if (this.#prefer !== undefined) {
      this.#replace(three);
      return;
    }
    if (o.kind === "alias") throw new CannotSplice(`${shown(path)} is an alias (*name) in your file`);
    if (comments(this.#ours.text, o) !== comments(this.#base.text, b))
      throw new CannotSplice(`${shown(path)}: a comment of yours stands in what was replaced`);
    this.#replace(three);
  }

  #scalar({ o, b, t }: Three): void {
    if (isSame(b.value.js, t.value.js) || isSame(o.value.js, t.value.js)) return;
    const text = this.#theirs.text.slice(t.value.text.start, t.value.text.end);
    const { start, end } = o.value.text;
    // `key:` without a value has no blank behind the colon.
    const gap = start === end && this.#ours.text[start - 1] === ":" ? " " : "";
    const by = column(this.#ours, o) - column(this.#theirs, t);
    this.#splice(start, end, gap + shiftRest(text, by));
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
    this.#splice(o.value.comment.start, o.value.comment.end, after);
  }

  /** Comment and blank lines between entries. */
  #trivia(ours: Range, base: Range, theirs: Range, indent: number, path: Path): void {
    const raw = this.#ours.text.slice(ours.start, ours.end);
    const o = triviaLines(raw);
    const b = triviaLines(this.#base.text.slice(base.start, base.end));
    const t = triviaLines(this.#theirs.text.slice(theirs.start, theirs.end));
    if (b.join("\n") === t.join("\n") || o.join("\n") === t.join("\n")) return;
    const picks = mergeLines(o, b, t, this.#prefer);
    if (picks === undefined) {
      const words = (lines: string[]): string => lines.filter((line) => line !== "").join("\n");
      // Where only blank lines are at odds, those of the user stay.
      if (words(b) === words(t) || words(o) === words(t)) return;
      throw new CannotSplice(`${shown(path)}: the comment above it was changed on both sides`);
    }
    const rawLines = raw.split("\n");
    const lines = picks.map(({ side, index }) => {
      if (side === "ours") return rawLines[index] ?? "";
      const line = t[index] ?? "";
      return line === "" ? "" : " ".repeat(indent) + line;
    });
    const text = lines.length === 0 ? "" : `${lines.join("\n").replaceAll("\r", "")}\n`;
    const [ends, starts] = [raw.endsWith("\n"), raw === ""];
    this.#splice(ours.start, ours.end, ends || starts ? text : text.slice(0, -1));
  }

  #insert(o: Value, t: Value, entry: Entry, previous: Entry | undefined): void {
    const first = o.entries?.[0];
    if (o.flow) {
      const item = this.#flowText(entry, t);
      if (previous !== undefined) this.#splice(previous.end, previous.end, `, ${item}`);
      else if (first === undefined) this.#splice(o.text.end - 1, o.text.end - 1, item);
      else this.#splice(first.start, first.start, `${item}, `);
      return;
    }
    const place = previous?.end ?? first?.lead.start;
    if (place === undefined || (previous === undefined && first?.wholeLines !== true))
      throw new CannotSplice("there is no place for what is new");
    this.#splice(place, place, this.#blockText(entry, t, o.indent));
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

  /** A new entry for a flow collection: quoted as JSON wherever a plain text could mean something else there. */
  #flowText(entry: Entry, collection: Value): string {
    const { value } = entry;
    const source = this.#theirs.text.slice(value.text.start, value.text.end);
    const safe = value.kind === "scalar" && /^(?:[\w./-]+|"[^"\\\n]*"|'[^'\n]*')$/.test(source);
    const text = safe ? source : JSON.stringify(value.js ?? null);
    if (collection.kind === "list") return text;
    return `${/^[\w.-]+$/.test(entry.id) ? entry.id : JSON.stringify(entry.id)}: ${text}`;
  }

  #remove(o: Value, entry: Entry): void {
    if (!o.flow) {
      if (!entry.wholeLines) throw new CannotSplice("what is to be removed shares its line");
      this.#splice(entry.lead.start, entry.end, "");
      return;
    }
    const entries = o.entries ?? [];
    const at = entries.indexOf(entry);
    const [before, next] = [entries[at - 1], entries[at + 1]];
    if (before !== undefined) this.#splice(before.end, entry.end, "");
    else this.#splice(entry.start, next?.start ?? entry.end, "");
  }

  /** Takes the whole value of an entry as theirs writes it. */
  #replace({ o, t }: Three): void {
    const inner = o.value.text;
    const source = this.#theirs.text.slice(t.afterMark, t.tail);
    if (!o.wholeLines || !t.wholeLines) {
      const plain = this.#theirs.text.slice(t.value.text.start, t.value.text.end);
      if (plain.includes("\n") || t.value.kind !== "scalar")
        throw new CannotSplice("what was replaced begins in the middle of a line");
      this.#splice(inner.start, inner.end, plain);
      return;
    }
    const end = Math.max(o.tail, o.afterMark);
    // Entries go to the column where ours has its own; without any there, the keys decide.
    const below = isBlock(o.value) && isBlock(t.value);
    const by = below ? o.value.indent - t.value.indent : column(this.#ours, o) - column(this.#theirs, t);
    const block = shiftRest(source, by);
    this.#splice(o.afterMark, end, block.endsWith("\n") ? block : `${block}\n`);
  }

  /** @throws CannotSplice when a comment or an anchor of the user would go with what is removed */
  #mustBeUnchanged(entry: Entry, base: Entry | undefined, path: Path): void {
    if (this.#prefer !== undefined) return;
    if (isLinked(entry.value.node)) throw new CannotSplice(`${shown(path)} has an anchor or alias in your file`);
    const own = allComments(this.#ours.text, entry);
    const known = base === undefined ? "" : allComments(this.#base.text, base);
    if (own !== known) throw new CannotSplice(`${shown(path)}: a comment of yours stands in what was removed`);
  }

  #splice(start: number, end: number, text: string): void {
    const { text: whole } = this.#ours;
    // A file may end without a line end; what follows needs one.
    const open =
      start === end && start === whole.length && whole !== "" && !whole.endsWith("\n") && text.endsWith("\n");
    this.#splices.push({ start, end, text: withLineEnds(open ? `\n${text}` : text, whole) });
  }
}

function byId(entries: readonly Entry[]): Map<string, Entry> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}

function isLeaf({ value }: Entry): boolean {
  return value.flow || (value.entries ?? []).length === 0;
}

function isBlock({ flow, entries }: Value): boolean {
  return !flow && (entries ?? []).length > 0;
}

function isPlainScalar({ node, kind }: Value): boolean {
  const block = isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
  return kind === "scalar" && !block;
}

/** Whether there is an anchor or an alias in a node. */
function isLinked(node: unknown): boolean {
  if (isAlias(node)) return true;
  if (!isNode(node)) return isPair(node) && (isLinked(node.key) || isLinked(node.value));
  if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) return true;
  return isCollection(node) && node.items.some(isLinked);
}

function sourceOf({ text }: Outline, { lead, end }: Entry): string {
  return text.slice(lead.start, end);
}

function slice({ text }: Outline, { start, end }: Range): string {
  return text.slice(start, end);
}

function column({ text }: Outline, { start }: Entry): number {
  return start - (text.lastIndexOf("\n", start - 1) + 1);
}

/** All comments of an entry, those above it included. */
function allComments(text: string, entry: Entry): string {
  const lead = triviaLines(text.slice(entry.lead.start, entry.lead.end));
  return [...lead, comments(text, entry.value), ...triviaLines(text.slice(entry.tail, entry.end))]
    .filter((line) => line !== "")
    .join("\n");
}

/** All comments inside a value, and on its line. */
function comments(text: string, value: Value): string {
  const own = text.slice(value.comment.start, value.comment.end).trim();
  return [own, ...(value.entries ?? []).map((entry) => allComments(text, entry))]
    .filter((line) => line !== "")
    .join("\n");
}

/** A value of several lines, with all but the first moved. */
function shiftRest(text: string, by: number): string {
  const [first = "", ...rest] = text.split("\n");
  return rest.length === 0 ? text : `${first}\n${reindent(rest.join("\n"), by)}`;
}
