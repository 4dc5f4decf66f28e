// The YAML library costs half a millisecond for a framework.yaml, and its own loading before the first: most of what
// reading a root costs. Nearly every such file is as it was generated, or had a word or a number changed.

// More indentation than anyone writes: the library gives up on a mapping that is a thousand deep.
const LINE = /^( {0,40})([A-Za-z_][\w-]{0,99}):(?: (.+))?$/;
const SKIPPED = /^ *(?:#.*)?$/;
/** Words that YAML does not read as text, wherever they stand; and the key that is no plain property in JavaScript. */
const RESERVED = /^(?:true|false|null|__proto__)$/i;
const WORD = /^(?:[A-Za-z][\w-]*|[1-9]\d{0,8}[kmg])$/;
const NUMBER = /^(?:0|[1-9]\d{0,8})$/;
const QUOTED = /^"([^"\\\p{Control}]*)"$/u;

/**
 * Reads YAML of the plainest kind, such as a generated `framework.yaml`: mappings indented by two spaces, whose values
 * are a word, a whole number, `true`, `false`, a text in double quotes without escapes, or `[]`; whole-line comments.
 * Invariant, held by a property test: what it reads, the YAML library reads the same.
 * @returns undefined for everything else, right or wrong: that is for the library to read, or to complain of
 */
export function readPlainYaml(text: string): Record<string, unknown> | undefined {
  const top: Record<string, unknown> = {};
  const open = [top];
  // A key without a value, whose mapping the next line must begin.
  let awaited = false;
  for (const line of text.split("\n")) {
    if (SKIPPED.test(line)) continue;
    const [, indent, key, written] = LINE.exec(line) ?? [];
    if (indent === undefined || key === undefined || RESERVED.test(key)) return undefined;
    const depth = indent.length / 2;
    // A number that is no index (an odd indentation) finds no mapping below.
    if (awaited ? depth !== open.length - 1 : depth > open.length - 1) return undefined;
    const mapping = open[depth];
    if (mapping === undefined || Object.hasOwn(mapping, key)) return undefined;
    open.length = depth + 1;
    awaited = written === undefined;
    if (written === undefined) {
      const below = {};
      mapping[key] = below;
      open.push(below);
    } else {
      mapping[key] = valueOf(written);
      if (mapping[key] === undefined) return undefined;
    }
  }
  return awaited || Object.keys(top).length === 0 ? undefined : top;
}

function valueOf(written: string): unknown {
  if (written === "true" || written === "false") return written === "true";
  if (written === "[]") return [];
  if (NUMBER.test(written)) return Number(written);
  if (WORD.test(written) && !RESERVED.test(written)) return written;
  return QUOTED.exec(written)?.[1];
}
