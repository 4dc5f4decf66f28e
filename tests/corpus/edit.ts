/** Which side of a merge an edit may stand on. */
type Side = "user" | "template" | "both";

/**
 * One edit of one file of the corpus, written as a change of text, with what it means declared beside it by hand:
 * the oracle reads that and never asks the engine.
 */
export interface Edit {
  id: string;
  side: Side;
  /**
   * What it changes, as dotted paths (YAML keys, variables, numbered places of a text). Two edits whose paths are
   * equal, or one inside the other, are a true conflict, unless they are the same edit.
   * Empty for a change of style alone: other quotes, flow style, another order.
   */
  touches: readonly string[];
  /** Paths that must still be there afterwards, for what it adds to work. */
  needs?: readonly string[];
  /** Paths that it takes away. */
  removes?: readonly string[];
  /** @returns undefined when the place it changes is not there (any more) */
  apply: (text: string) => string | undefined;
}

export type Apply = Edit["apply"];

/** Replaces a text that occurs exactly once. */
export function swap(find: string, put: string): Apply {
  return (text) => {
    const at = text.indexOf(find);
    if (at === -1 || text.includes(find, at + 1)) return undefined;
    return text.slice(0, at) + put + text.slice(at + find.length);
  };
}

/** Adds text behind one that occurs exactly once. */
export function after(find: string, put: string): Apply {
  return swap(find, find + put);
}

/** Adds text before one that occurs exactly once. */
export function before(find: string, put: string): Apply {
  return swap(find, put + find);
}

/** Replaces by a pattern that must match. */
export function pattern(find: RegExp, put: string): Apply {
  return (text) => (find.test(text) ? text.replace(find, put) : undefined);
}

/** Applies an edit inside the block of one service, from its key to the next one at that depth. */
export function inService(name: string, apply: Apply): Apply {
  return (text) => {
    const lines = text.split("\n");
    const from = lines.indexOf(`  ${name}:`);
    if (from === -1) return undefined;
    let to = from + 1;
    while (to < lines.length && /^(?: {3,}|$)/.test(lines[to] ?? "")) to += 1;
    // Blank lines at the end belong to what follows.
    while (lines[to - 1] === "") to -= 1;
    const block = apply(`${lines.slice(from, to).join("\n")}\n`);
    return block === undefined ? undefined : [...lines.slice(0, from), ...block.slice(0, -1).split("\n"), ...lines.slice(to)].join("\n");
  };
}

/** Cuts a service out, with the comments above it. */
export function withoutService(name: string): Apply {
  return (text) => {
    const lines = text.split("\n");
    const key = lines.indexOf(`  ${name}:`);
    if (key === -1) return undefined;
    let from = key;
    while (/^ {2}#/.test(lines[from - 1] ?? "")) from -= 1;
    let to = key + 1;
    while (/^(?: {3,}|$)/.test(lines[to] ?? "") && to < lines.length) to += 1;
    return [...lines.slice(0, from), ...lines.slice(to)].join("\n");
  };
}

/** One after the other. */
export function all(...steps: Apply[]): Apply {
  return (text) => steps.reduce<string | undefined>((done, step) => (done === undefined ? undefined : step(done)), text);
}
