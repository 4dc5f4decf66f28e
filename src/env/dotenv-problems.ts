import { afterLine, closingQuote, endOfLine, withoutComment } from "./dotenv.ts";
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
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const end = endOfLine(text, at);
    const written = text.slice(at, end);
    const assignment = written.trimStart().replace(EXPORT, "");
    let next = afterLine(text, end);
    if (assignment !== "" && !assignment.startsWith("#")) {
      const sign = assignment.search(/[=:]/);
      const name = (sign === -1 ? assignment : assignment.slice(0, sign)).trim();
      const start = end - assignment.length + sign + 1;
      const value = sign === -1 ? undefined : valueAt(text, start + spaces(text, start), end);
      const message = problemOfName(name, sign !== -1) ?? value?.problem;
      if (message !== undefined) found.push({ line, message });
      // What an open quote swallows is not looked at: it is one value.
      if (value !== undefined) next = Math.max(next, afterLine(text, endOfLine(text, value.end)));
    }
    for (let feed = text.indexOf("\n", at); feed !== -1 && feed < next; feed = text.indexOf("\n", feed + 1)) line += 1;
    at = next;
  }
  return found;
}

function problemOfName(name: string, hasSign: boolean): string | undefined {
  if (name === "") return hasSign ? "there is no name before the sign" : undefined;
  const [, first = "", rest] = /^(\S+)(\s[^]*)?$/.exec(name) ?? [];
  if (!NAME.test(first) || (rest !== undefined && !NAME.test(rest.replaceAll(/\s/g, ""))))
    return "the name holds a character that no name may have";
  return rest === undefined ? undefined : "the name holds a space";
}

/** @param lineEnd of the line that the value begins in @returns `end`: where it ends, which may be lines below */
function valueAt(text: string, start: number, lineEnd: number): { end: number; problem: string | undefined } {
  const quote = text[start];
  if (start >= lineEnd || (quote !== '"' && quote !== "'")) {
    const raw = withoutComment(text.slice(Math.min(start, lineEnd), lineEnd));
    return { end: lineEnd, problem: problemOfValue(raw, true) };
  }
  const close = closingQuote(text, start + 1, quote);
  if (close === -1) return { end: text.length, problem: "a quote is opened and not closed" };
  return { end: close, problem: problemOfValue(text.slice(start + 1, close), quote === '"') };
}

function problemOfValue(value: string, isExpanded: boolean): string | undefined {
  if (value.includes("\0")) return "the value holds a NUL character";
  return isExpanded && hasBadTemplate(value) ? "a ${ is not closed, or what follows it is no name" : undefined;
}

function spaces(text: string, from: number): number {
  return /^[ \t]*/.exec(text.slice(from, from + 1000))?.[0].length ?? 0;
}
