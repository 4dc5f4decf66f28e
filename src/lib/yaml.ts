import { isMap, isNode, isPair, isScalar, LineCounter, visit, type Document, type Pair, type YAMLMap } from "yaml";
import type * as z from "zod/mini";

import { problemsError, type Problem } from "./errors.ts";
import { check } from "./schema.ts";
import { yamlDocument } from "./yaml-documents.ts";

type ParsedDocument = Document.Parsed;

const CORRECT = "correct the file, or restore it from git";

/**
 * Parses untrusted YAML (or JSON, its subset) and checks it against a schema.
 * @param file the name to show in messages; nothing is read from it
 * @returns the parsed value
 * @throws UserError (exit 2) that lists every problem with file, line and key
 */
export function parseYaml<T>(text: string, file: string, schema: z.ZodMiniType<T>): T {
  const counter = new LineCounter();
  // `maxAliasCount: 0` below keeps a hostile file from growing without bound.
  const doc = yamlDocument(text, { lineCounter: counter, prettyErrors: false });
  const syntax: Problem[] = doc.errors.map((error) => ({
    file,
    line: counter.linePos(error.pos[0]).line,
    message: firstLine(error.message),
  }));
  if (syntax.length > 0) throw problemsError(`${file} is not valid YAML`, syntax, CORRECT);

  const numbers = oddNumbers(doc, counter, file);
  if (numbers.length > 0) throw problemsError(`${file} is not valid`, numbers, CORRECT);

  let value: unknown;
  try {
    value = doc.toJS({ maxAliasCount: 0 });
  } catch {
    throw problemsError(file, [{ file, message: "aliases (*name) are not allowed here" }], CORRECT);
  }
  if (value === null || value === undefined) value = {};

  const result = check(schema, value);
  if (result.success) return result.data;
  throw problemsError(
    `${file} is not valid`,
    issuesToProblems(result.error.issues, file, (path) => lineOf(doc, counter, path)),
    CORRECT,
  );
}

/** YAML reads `1e3`, `0x50` and `80.0` as numbers; every number here is a count or a port, in plain digits. */
function oddNumbers(doc: ParsedDocument, counter: LineCounter, file: string): Problem[] {
  const found: Problem[] = [];
  visit(doc, {
    Scalar: (_, node) => {
      if (typeof node.value !== "number" || /^-?[0-9]+$/.test(node.source ?? "")) return;
      const line = node.range ? counter.linePos(node.range[0]).line : undefined;
      found.push({ file, line, message: `"${node.source ?? ""}" is not a whole number in plain digits` });
    },
  });
  return found;
}

/** zod's issues as problems; unknown keys are reported one by one, at their own line. */
function issuesToProblems(
  issues: readonly z.core.$ZodIssue[],
  file: string | undefined,
  line: (path: readonly PropertyKey[]) => number | undefined,
): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        file,
        line: line([...issue.path, key]),
        key: [...issue.path, key].join("."),
        message: "unknown key",
      }));
    }
    if (issue.code === "invalid_union") {
      // The alternative that was meant is the one that fits on the outside and fails further in.
      const meant = issue.errors.find((branch) => branch.length > 0 && branch.every((each) => each.path.length > 0));
      if (meant !== undefined) {
        const within = meant.map((each) => ({ ...each, path: [...issue.path, ...each.path] }));
        return issuesToProblems(within, file, line);
      }
    }
    const key = issue.path.length === 0 ? undefined : issue.path.join(".");
    return [{ file, line: line(issue.path), key, message: issue.message }];
  });
}

// Looked up for each of a file's problems, which may be as many as its keys.
const pairsByKey = new WeakMap<YAMLMap, Map<string, Pair>>();

function pairOf(node: YAMLMap, key: PropertyKey): Pair | undefined {
  let pairs = pairsByKey.get(node);
  if (pairs === undefined) {
    pairs = new Map();
    for (const item of node.items) if (isPair(item) && isScalar(item.key)) pairs.set(String(item.key.value), item);
    pairsByKey.set(node, pairs);
  }
  return pairs.get(String(key));
}

function lineOf(doc: ParsedDocument, counter: LineCounter, path: readonly PropertyKey[]): number | undefined {
  return placeOf(doc, counter, path)?.line;
}

/** The deepest part of a path that is there: its line, and how many keys lead to it. */
function placeOf(
  doc: ParsedDocument,
  counter: LineCounter,
  path: readonly PropertyKey[],
): { line: number; depth: number } | undefined {
  let node: unknown = doc.contents;
  let offset: number | undefined;
  let depth = 0;
  for (const key of path) {
    if (isMap(node)) {
      const pair = pairOf(node, key);
      if (pair === undefined) break;
      if (isScalar(pair.key) && pair.key.range) offset = pair.key.range[0];
      node = pair.value;
      depth += 1;
    } else if (
      /^\d+$/.test(String(key)) &&
      node !== null &&
      typeof node === "object" &&
      "items" in node &&
      Array.isArray(node.items)
    ) {
      const items: unknown[] = node.items;
      node = items[Number(key)];
      if (isNode(node) && node.range) {
        offset = node.range[0];
        depth += 1;
      }
    } else {
      break;
    }
  }
  if (offset === undefined) return path.length === 0 ? { line: 1, depth } : undefined;
  return { line: counter.linePos(offset).line, depth };
}

/** A YAML text of anybody, and where its keys stand. Parsed when somebody asks first. */
export class YamlPlaces {
  readonly #text: string;
  #parsed: { doc: ParsedDocument; counter: LineCounter } | undefined;

  private constructor(text: string) {
    this.#text = text;
  }

  /** Frameworks with the same services have the same file. */
  static of(text: string): YamlPlaces {
    const known = remembered.get(text);
    if (known !== undefined) return known;
    const made = new YamlPlaces(text);
    const [oldest] = remembered.keys();
    if (remembered.size >= REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    remembered.set(text, made);
    return made;
  }

  get document(): ParsedDocument {
    return this.#parse().doc;
  }

  /** Why it cannot be read, without words of the file but a key that is there twice; undefined where it can. */
  get problem(): { line: number; message: string } | undefined {
    const { doc, counter } = this.#parse();
    const [error] = doc.errors;
    if (error === undefined) return undefined;
    const message = error.code === "DUPLICATE_KEY" ? firstLine(error.message) : REASONS[error.code];
    return { line: counter.linePos(error.pos[0]).line, message: message ?? "it is not valid YAML" };
  }

  /** The line of a key, or of the deepest one above it that is there, and how deep that is; undefined for none. */
  find(path: readonly string[]): { line: number; depth: number } | undefined {
    const { doc, counter } = this.#parse();
    return placeOf(doc, counter, path);
  }

  #parse(): { doc: ParsedDocument; counter: LineCounter } {
    if (this.#parsed !== undefined) return this.#parsed;
    const counter = new LineCounter();
    const doc = yamlDocument(this.#text, { lineCounter: counter, merge: true, logLevel: "error", prettyErrors: false });
    return (this.#parsed = { doc, counter });
  }
}

/** By the code of an error; the YAML library's own message may quote the file. */
const REASONS: Partial<Record<string, string>> = {
  MISSING_CHAR: "a quote or a bracket is not closed, or a character is missing",
  MULTIPLE_DOCS: "it holds more than one document",
  TAB_AS_INDENT: "a line is indented with a tab",
  BAD_INDENT: "a line is not indented like those around it",
};

const REMEMBERED = 8;
const remembered = new Map<string, YamlPlaces>();

/** Problems whose keys are known, with the file and the line of each key. */
export function locate(text: string, file: string, problems: readonly Problem[]): Problem[] {
  const counter = new LineCounter();
  const doc = yamlDocument(text, { lineCounter: counter });
  return problems.map((problem) => ({
    ...problem,
    file,
    line: problem.key === undefined ? undefined : lineOf(doc, counter, problem.key.split(".")),
  }));
}

function firstLine(text: string): string {
  // A file that is no text at all must not fill the terminal.
  return (text.split("\n", 1)[0] ?? text).slice(0, 200).replaceAll(/\p{Control}/gu, "?");
}
