import { afterLine, closingQuote, endOfLine, lineCounter, unescape, withoutComment } from "./dotenv.ts";
import { hasBadTemplate } from "./interpolate.ts";

/** Why Compose refuses a `.env` file. Never holds a part of it: a line that went wrong may be a secret. */
export interface DotenvProblem {
  /** From 1. */
  line: number;
  message: string;
}

const EXPORT = /^export[ \t]+/;
const NAME = /^[\p{L}\p{N}_.\-[\]]+$/u;

/**
 * What Compose refuses in a `.env` file, so that no stack starts beside it. A line with a name alone is none: its value
 * is the environment's.
 * @see https://github.com/compose-spec/compose-go/blob/main/dotenv/parser.go
 */
export function dotenvProblems(text: string): DotenvProblem[] {
  const found: DotenvProblem[] = [];
  const lineAt = lineCounter(text);
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  while (at < text.length) {
    const end = endOfLine(text, at);
    const assignment = text.slice(at, end).trimStart().replace(EXPORT, "");
    const begin = at;
    at = afterLine(text, end);
    if (assignment === "" || assignment.startsWith("#")) continue;
    const sign = assignment.search(/[=:]/);
    const name = (sign === -1 ? assignment : assignment.slice(0, sign)).trim();
    const start = end - assignment.length + sign + 1;
    const value = sign === -1 ? undefined : valueAt(text, start + spaces(text, start), end);
    const message = problemOfName(name, sign !== -1) ?? value?.problem;
    if (message !== undefined) found.push({ line: lineAt(begin), message });
    // Compose reads on behind a quote, on the same line. What an open quote swallows is one value.
    if (value?.isQuoted === true) at = value.end;
  }
  return found;
}

function problemOfName(name: string, hasSign: boolean): string | undefined {
  if (name === "") return hasSign ? "there is no name before `=`" : undefined;
  if (!NAME.test(name.replaceAll(/\s/g, ""))) return "the name contains a character that is not allowed in a name";
  return name.includes(" ") ? "the name contains a space" : undefined;
}

/** @param lineEnd of the line that the value begins in @returns `end`: behind it, which may be lines below */
function valueAt(
  text: string,
  start: number,
  lineEnd: number,
): { end: number; isQuoted: boolean; problem: string | undefined } {
  const quote = text[start];
  if (start >= lineEnd || (quote !== '"' && quote !== "'")) {
    const raw = withoutComment(text.slice(Math.min(start, lineEnd), lineEnd));
    return { end: lineEnd, isQuoted: false, problem: problemOfValue(raw, raw) };
  }
  const close = closingQuote(text, start + 1, quote);
  if (close === -1) return { end: text.length, isQuoted: true, problem: "a quote is opened and not closed" };
  const body = text.slice(start + 1, close);
  return { end: close + 1, isQuoted: true, problem: problemOfValue(body, quote === '"' ? unescape(body) : "") };
}

/** @param expanded the part of it in which variables are filled in */
function problemOfValue(value: string, expanded: string): string | undefined {
  if (value.includes("\0")) return "the value contains a NUL character";
  return hasBadTemplate(expanded) ? "a ${ is not closed, or is not followed by a valid name" : undefined;
}

function spaces(text: string, from: number): number {
  return /^[ \t]*/.exec(text.slice(from, from + 1000))?.[0].length ?? 0;
}
