import { interpolate, MAX_GROWTH } from "./interpolate.ts";

/** One assignment of a `.env` file. */
export interface Assignment {
  name: string;
  /** The value as Compose would see it: unquoted, comment removed, interpolated. */
  value: string;
  /** Where the value is in the text, quotes included: `text.slice(start, end)`. */
  start: number;
  end: number;
}

const HEAD = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*/;

/**
 * Reads a `.env` file as Docker Compose does: `export`, single quotes (literal),
 * double quotes (escapes, interpolation, may span lines), ` #` comments, `$` interpolation of
 * what is above. The last assignment of a name wins. Lines it cannot read are passed over.
 * @param onUnclosed called with the place of a quote that nothing closes: everything behind it is its value
 * A line ends at a line feed, with or without a carriage return before it; a lone one is text.
 */
export function parseDotenv(text: string, onUnclosed?: (offset: number) => void): ReadonlyMap<string, Assignment> {
  // One framework's file is asked for several times in a row.
  if (latest.text !== text) latest = { text, ...parse(text) };
  if (onUnclosed !== undefined) for (const offset of latest.unclosed) onUnclosed(offset);
  return latest.found;
}

/** Every assignment in the order of the text, also of a name that is assigned again below. */
export function everyAssignment(text: string): readonly Assignment[] {
  return parse(text).all;
}

interface Parsed {
  found: ReadonlyMap<string, Assignment>;
  all: readonly Assignment[];
  /** Places of quotes that nothing closes. */
  unclosed: readonly number[];
}

let latest: Parsed & { text: string | undefined } = { text: undefined, found: new Map(), all: [], unclosed: [] };

function parse(text: string): Parsed {
  const unclosed: number[] = [];
  const found = new Map<string, Assignment>();
  const all: Assignment[] = [];
  const add = (assignment: Assignment): void => {
    found.set(assignment.name, assignment);
    all.push(assignment);
  };
  let growth = MAX_GROWTH;
  const expanded = (written: string): string => {
    const value = interpolate(written, (name) => found.get(name)?.value, growth);
    growth -= Math.max(value.length - written.length, 0);
    return value;
  };
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  while (at < text.length) {
    const lineEnd = endOfLine(text, at);
    const head = HEAD.exec(text.slice(at, lineEnd));
    if (head === null) {
      at = afterLine(text, lineEnd);
      continue;
    }
    const [matched, name = ""] = head;
    const start = at + matched.length;
    const quote = text[start];
    if (quote === '"' || quote === "'") {
      const close = closingQuote(text, start + 1, quote);
      if (close === -1) unclosed.push(start);
      const end = close === -1 ? text.length : close + 1;
      const body = text.slice(start + 1, close === -1 ? text.length : close).replaceAll("\r\n", "\n");
      add({ name, value: quote === "'" ? body.replaceAll(String.raw`\'`, "'") : expanded(unescape(body)), start, end });
      // Compose reads on behind a quote, on the same line.
      at = end;
    } else {
      const raw = withoutComment(text.slice(start, lineEnd));
      add({ name, value: expanded(raw), start, end: start + raw.length });
      at = afterLine(text, lineEnd);
    }
  }
  return { found, all, unclosed };
}

/** The values alone, by name. */
export function dotenvValues(text: string): Map<string, string> {
  return new Map([...parseDotenv(text).values()].map((entry) => [entry.name, entry.value]));
}

/** Tells the lines of places in a text; each place is at or behind the one before, so a text is counted once. */
export function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let at = 0;
  return (offset) => {
    for (let feed = text.indexOf("\n", at); feed !== -1 && feed < offset; feed = text.indexOf("\n", at)) {
      line += 1;
      at = feed + 1;
    }
    return line;
  };
}

/** The end of the line's text: before its line feed, and before the carriage return that belongs to it. */
export function endOfLine(text: string, from: number): number {
  const feed = text.indexOf("\n", from);
  if (feed === -1) return text.length;
  return feed > from && text[feed - 1] === "\r" ? feed - 1 : feed;
}

export function afterLine(text: string, end: number): number {
  const feed = text.indexOf("\n", end);
  return feed === -1 ? text.length : feed + 1;
}

export function closingQuote(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at += 1) {
    // In single quotes as well.
    if (text[at] === "\\") at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

export function unescape(body: string): string {
  const simple: Record<string, string> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", $: "$$" };
  return body.replaceAll(/\\([\s\S])/g, (whole, letter: string) => simple[letter] ?? whole);
}

export function withoutComment(text: string): string {
  if (text.startsWith("#")) return "";
  const comment = /[ \t]#/.exec(text);
  return (comment === null ? text : text.slice(0, comment.index)).trimEnd();
}
