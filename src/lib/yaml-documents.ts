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
          document.errors.push(new YAMLParseError([start, end], "DUPLICATE_KEY", "Map keys must be unique"));
        seen.add(key.value);
      }
    },
  });
}
