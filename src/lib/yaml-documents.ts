import { isScalar, parseAllDocuments, parseDocument, visit, YAMLParseError, type Document } from "yaml";

/** What a caller may choose; keys are always unique. */
export type YamlOptions = Omit<NonNullable<Parameters<typeof parseDocument>[1]>, "uniqueKeys">;

/**
 * Parses a text of anybody, which must be one document. Keys that a mapping has twice are errors: the library's own
 * check compares each key with every other one, which takes seconds for some thousand; this one looks each up once.
 */
export function yamlDocument(text: string, options: YamlOptions = {}): Document.Parsed {
  if (isTooDeep(text)) return tooDeep();
  return bounded(() => {
    const document = parseDocument(text, { ...options, uniqueKeys: false });
    reportTwins(document);
    return document;
  });
}

/** The same for a text of several documents; none for an empty one. */
export function yamlDocuments(text: string, options: YamlOptions = {}): Document.Parsed[] {
  if (isTooDeep(text)) return [tooDeep()];
  const documents: Document.Parsed[] = [];
  const problem = bounded(() => {
    const found = parseAllDocuments(text, { ...options, uniqueKeys: false });
    if (Array.isArray(found)) for (const document of found) documents.push(document);
    for (const document of documents) reportTwins(document);
    return undefined;
  });
  return problem === undefined ? documents : [problem];
}

// More aliases than any person writes.
const MAX_ALIASES = 100;

// A merge, its check and the checks behind it ask for the same two texts, and a large one takes most of a second.
const REMEMBERED = 4;
const values = new Map<string, unknown>();

/**
 * A text of one document as a plain value, aliases and merge keys resolved. Read only: whoever asks for the same text
 * next gets the same value.
 * @param document where the caller has parsed the text already, or will, with `merge`
 * @returns undefined where it is broken
 */
export function yamlValue(text: string, document?: Document.Parsed | (() => Document.Parsed)): unknown {
  if (values.has(text)) return values.get(text);
  const known = typeof document === "function" ? document() : document;
  const doc = known ?? yamlDocument(text, { merge: true, logLevel: "error" });
  let value: unknown;
  try {
    value = doc.errors.length > 0 ? undefined : doc.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    value = undefined;
  }
  const [oldest] = values.keys();
  if (values.size >= REMEMBERED && oldest !== undefined) values.delete(oldest);
  values.set(text, value);
  return value;
}

// The parser's memory and stack grow with the depth; nobody writes a tenth of this.
const MAX_DEPTH = 1_000;

/** Whether brackets that are never closed, or dashes in a row, say that a text is nested more deeply than anybody's. */
function isTooDeep(text: string): boolean {
  if (/(?:[-?:][ \t]){1000}/.test(text)) return true;
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = Math.max(bracket === "[" || bracket === "{" ? depth + 1 : depth - 1, 0);
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

function tooDeep(): Document.Parsed {
  const document = parseDocument("");
  document.errors.push(new YAMLParseError([0, 1], "UNEXPECTED_TOKEN", "the text is nested too deeply"));
  return document;
}

/** What `parse` returns; a document with an error where the stack is too small for the text. */
function bounded<T extends Document.Parsed | undefined>(parse: () => T): T | Document.Parsed {
  try {
    return parse();
  } catch (error) {
    if (error instanceof RangeError) return tooDeep();
    throw error;
  }
}

function reportTwins(document: Document.Parsed): void {
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const [start, end] = key.range ?? [0, 0];
        if (seen.has(key.value))
          document.errors.push(
            new YAMLParseError([start, end], "DUPLICATE_KEY", `the key ${String(key.value)} is there twice`),
          );
        seen.add(key.value);
      }
    },
  });
}
