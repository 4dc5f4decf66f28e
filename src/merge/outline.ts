import { isMapping } from "../lib/mapping.ts";
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from "yaml";

import { yamlDocuments, yamlValue } from "../lib/yaml-documents.ts";
import { identities, type Path } from "./identity.ts";

/** A part of a text: `text.slice(start, end)`. */
export interface Range {
  start: number;
  end: number;
}

/** One entry of a mapping or list, with every byte that belongs to it. */
export interface Entry {
  /** What makes it the same entry in another version of the file: the key, or an identity of a list item. */
  id: string;
  /** Comment and blank lines above it; empty for an entry that does not begin its line. */
  lead: Range;
  /** Whether it begins its line, so that whole lines can be put before it or taken away. */
  wholeLines: boolean;
  /** Where its key or dash begins. */
  start: number;
  /** Right behind `:` or `-`. */
  afterMark: number;
  /** Behind its last line, comments of its own that follow it included. */
  end: number;
  /** Where those comments begin; `end` when there are none. */
  tail: number;
  value: Value;
}

export interface Value {
  node: Node | null;
  kind: "scalar" | "map" | "list" | "alias";
  /** Its text, anchors and tags included; empty where nothing is written (`key:`). */
  text: Range;
  /** `[...]` or `{...}` on the page. */
  flow: boolean;
  /** The comment on the line of the value, or of the key when the value is below; empty when there is none. */
  comment: Range;
  /** Of a collection; undefined for the others. */
  entries: readonly Entry[] | undefined;
  /** False for a list whose items cannot be told apart: it is merged as a whole. */
  keyed: boolean;
  /** Column of the entries of a block collection. */
  indent: number;
  /** It as a plain value, aliases and merge keys resolved. */
  js: unknown;
}

/** A YAML file as nested entries. */
export interface Outline {
  text: string;
  root: Value;
  /** What stands above the first key: the file's own words, whichever key comes first. */
  head: Range;
  /** Comments behind the last entry. */
  rest: Range;
}

/** @returns undefined for a file that cannot be merged by structure: broken, several documents, no mapping */
export function outlineOf(text: string): Outline | undefined {
  const [doc, second] = yamlDocuments(text, { keepSourceTokens: true, merge: true });
  if (doc === undefined || second !== undefined) return undefined;
  if (doc.errors.length > 0 || !isMap(doc.contents) || doc.contents.flow === true) return undefined;
  const js = yamlValue(text, doc);
  if (js === undefined) return undefined;
  const reader = new Reader(text);
  const root = reader.collection(doc.contents, { start: doc.contents.range?.[0] ?? 0, end: text.length }, 0, [], js);
  const first = root.entries?.[0];
  if (first === undefined) return undefined;
  const rest = reader.split(text.length, 0);
  // The document's end is followed by nothing but comments; `...` and what comes after is not ours to splice.
  if (!onlyTrivia(text.slice(rest.start, rest.end))) return undefined;
  widen(root);
  const head = { start: text.startsWith("\uFEFF") ? 1 : 0, end: first.lead.end };
  first.lead = { start: head.end, end: head.end };
  return { text, root, head, rest };
}

function onlyTrivia(text: string): boolean {
  return text.split("\n").every((line) => /^[ \t\r]*(?:#[^\n]*)?$/.test(line));
}

/** Ends of collections follow their last entry, whose own comments are known only after the whole was read. */
function widen(value: Value): void {
  for (const entry of value.entries ?? []) {
    widen(entry.value);
    const last = isBelow(entry.value) ? entry.value.entries?.at(-1) : undefined;
    if (last === undefined) continue;
    entry.tail = last.end;
    entry.end = Math.max(entry.end, last.end);
  }
}

/** Whether the value is a block collection with entries, which end where the last of them does. */
function isBelow({ flow, entries }: Value): boolean {
  return !flow && entries !== undefined && entries.length > 0;
}

class Reader {
  readonly #text: string;
  /** The entry whose text ended last, in the order of the file, behind those that it lies in. */
  #chain: Entry[] = [];
  readonly #open: Entry[] = [];
  /** Behind the line of the key whose entries are read now: what is above is not theirs. */
  #floor = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /**
   * The comment lines between two entries. One that is indented deeper than the next entry belongs to what stands
   * before it: to the entry in whose column it begins, so that commented-out lines stay with their neighbours.
   */
  split(next: number, indent: number): Range {
    const from = this.#chain.at(-1)?.tail ?? 0;
    let level = this.#chain.length - 1;
    let cut = from;
    for (let at = from; at < next;) {
      const end = this.#afterLine(at);
      const line = this.#text.slice(at, Math.min(end, next));
      const column = line.search(/\S/);
      at = end;
      if (!/^[ \t]*#/.test(line) || column <= indent) continue;
      while (level > 0 && this.#column(this.#chain[level]?.start ?? 0) > column) level -= 1;
      cut = end;
      const owner = this.#chain[level];
      if (owner !== undefined) owner.end = end;
    }
    return { start: cut, end: next };
  }

  collection(node: YAMLMap | YAMLSeq, text: Range, indent: number, path: Path, js: unknown): Value {
    const flow = node.flow === true;
    const items = isMap(node)
      ? node.items.map((pair) => this.#pair(pair as Pair<Node, Node | null>, flow))
      : this.#items(node);
    const column = flow || items[0] === undefined ? indent : this.#column(items[0].mark);
    const entries = items.map((item, index): Entry => {
      const nothing = { start: item.mark, end: item.mark };
      const entry: Entry = {
        id: item.key,
        lead: nothing,
        wholeLines: false,
        start: item.mark,
        afterMark: item.after,
        end: item.value.end,
        tail: item.value.end,
        value: scalar(item.node, item.value, nothing, column, undefined),
      };
      if (!flow) this.#place(entry, column);
      const own = Array.isArray(js) ? (js[index] as unknown) : isMapping(js) ? js[item.key] : undefined;
      if (!flow) this.#open.push(entry);
      entry.value = this.#value(item, column, [...path, item.key], flow, own);
      if (!flow) this.#close(entry);
      return entry;
    });
    const keyed = isMap(node) || identify(entries, path);
    const kind = isMap(node) ? "map" : "list";
    const comment = { start: text.start, end: text.start };
    return { node, kind, text, flow, comment, entries, keyed, indent: column, js };
  }

  #items(node: YAMLSeq): Item[] {
    const tokens = node.srcToken !== undefined && "items" in node.srcToken ? node.srcToken.items : [];
    return node.items.map((item, index): Item => {
      const start = tokens[index]?.start ?? [];
      const dash = start.find((token) => token.type === "seq-item-ind")?.offset;
      const value = this.#textOf(item as Node, start);
      return {
        node: item as Node,
        mark: dash ?? value.start,
        after: dash === undefined ? value.start : dash + 1,
        key: "",
        value,
      };
    });
  }

  #pair(pair: Pair<Node, Node | null>, flow: boolean): Item {
    const separator = pair.srcToken?.sep ?? [];
    const colon = separator.find((token) => token.type === "map-value-ind");
    const start = pair.key.range?.[0] ?? 0;
    const after = colon === undefined ? (pair.key.range?.[1] ?? start) : colon.offset + 1;
    const props = colon === undefined ? [] : separator.slice(separator.indexOf(colon));
    const value = pair.value === null ? { start: after, end: after } : this.#textOf(pair.value, props, after);
    // An explicit key (`? key`) begins before its key's text.
    const explicit = pair.srcToken?.start.find((token) => token.type === "explicit-key-ind")?.offset;
    const key = isScalar(pair.key) ? String(pair.key.value) : `? ${String(pair.key)}`;
    return { node: pair.value, mark: flow ? start : (explicit ?? start), after, key, value };
  }

  /** Text of a value with its anchor and tag. */
  #textOf(node: Node, props: readonly { type: string; offset: number }[], empty?: number): Range {
    const prop = props.find((token) => token.type === "anchor" || token.type === "tag")?.offset;
    const start = node.range?.[0] ?? 0;
    const end = node.range?.[1] ?? start;
    if (empty !== undefined && end === start) return { start: prop ?? empty, end: prop === undefined ? empty : start };
    return { start: Math.min(prop ?? start, start), end };
  }

  #value({ node, value: text, after }: Item, indent: number, path: Path, inFlow: boolean, js: unknown): Value {
    if (node !== null && (isMap(node) || isSeq(node))) {
      if (node.flow !== true) this.#floor = this.#afterLine(after);
      const value = this.collection(node, text, indent, path, js);
      if (inFlow) return value;
      if (node.flow === true) return { ...value, comment: this.#comment(text.end, true) };
      // `- a: 1  # x`: the comment belongs to what begins on the line, not to the list's item.
      const beginsHere = (node.range?.[0] ?? 0) < this.#endOfLine(after);
      return beginsHere ? value : { ...value, comment: this.#comment(after, false) };
    }
    const block = isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
    const comment = inFlow || block ? { start: text.end, end: text.end } : this.#comment(text.end, true);
    return scalar(node, text, comment, indent, js);
  }

  /** The comment on the line of `from`, with the blanks before it. */
  #comment(from: number, behindValue: boolean): Range {
    const line = this.#text.slice(from, this.#endOfLine(from));
    const found = (behindValue ? /^[ \t]*#.*$/ : /[ \t]+#.*$/).exec(line);
    if (found === null) return { start: from, end: from };
    return { start: from + found.index, end: from + line.length };
  }

  /** Where the entry begins its line, the lines above are its own. */
  #place(entry: Entry, column: number): void {
    const lineStart = entry.start - this.#column(entry.start);
    if (!/^[ \t]*$/.test(this.#text.slice(lineStart, entry.start))) return;
    entry.wholeLines = true;
    const before = this.#chain.at(-1);
    entry.lead =
      before === undefined || before.tail < this.#floor
        ? { start: Math.min(this.#floor, lineStart), end: lineStart }
        : this.split(lineStart, column);
  }

  #close(entry: Entry): void {
    const { value } = entry;
    // Of a block collection, the last entry below it was closed just now.
    if (!isBelow(value)) {
      const atLineStart = value.text.end > entry.start && this.#text[value.text.end - 1] === "\n";
      entry.end = atLineStart ? value.text.end : this.#afterLine(Math.max(value.text.end, entry.afterMark));
      entry.tail = entry.end;
      this.#chain = [...this.#open];
    } else entry.end = entry.tail = 0;
    this.#open.pop();
  }

  #column(offset: number): number {
    const lineStart = this.#text.lastIndexOf("\n", offset - 1) + 1;
    return offset - (lineStart === 0 && this.#text.startsWith("\uFEFF") ? 1 : lineStart);
  }

  #endOfLine(from: number): number {
    const feed = this.#text.indexOf("\n", from);
    const end = feed === -1 ? this.#text.length : feed;
    return end > from && this.#text[end - 1] === "\r" ? end - 1 : end;
  }

  #afterLine(from: number): number {
    const feed = this.#text.indexOf("\n", from);
    return feed === -1 ? this.#text.length : feed + 1;
  }
}

interface Item {
  node: Node | null;
  /** Where its key or dash begins. */
  mark: number;
  after: number;
  key: string;
  value: Range;
}

function scalar(node: Node | null, text: Range, comment: Range, indent: number, js: unknown): Value {
  const kind = node !== null && isAlias(node) ? "alias" : "scalar";
  return { node, kind, text, flow: false, comment, entries: undefined, keyed: true, indent, js };
}

/** Gives the entries of a list their identities. @returns false when two items have the same one */
function identify(entries: readonly Entry[], path: Path): boolean {
  const ids = identities(
    entries.map(({ value }) => value.js),
    path,
  );
  if (ids === undefined) return false;
  for (const [index, entry] of entries.entries()) entry.id = ids[index] ?? "";
  return true;
}
