import type { Writable } from "node:stream";

import { visible, visibleLines } from "../lib/visible.ts";
import type {
  DoctorDocument,
  ErrorDocument,
  PlanDocument,
  PlansDocument,
  PortsDocument,
  StatusDocument,
  ValidateDocument,
} from "./documents.ts";

type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

const CODES: Record<Style, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

interface TerminalLike extends Writable {
  isTTY?: boolean | undefined;
}

/** A piece of a line that is in colour where colours are wanted. */
export interface Styled {
  text: string;
  style: Style;
}

/** @param text may have come from a file or a name, as every text that is printed */
export function styled(text: string, style: Style): Styled {
  return { text, style };
}

/**
 * Where a command's text goes. Results on stdout; warnings, progress and errors on stderr. Whatever is printed may have
 * come from a file or a name, so control characters are shown as escapes; colours are the only ones written raw.
 */
export class Output {
  readonly json: boolean;
  readonly #stdout: TerminalLike;
  readonly #stderr: TerminalLike;
  readonly #env: NodeJS.ProcessEnv;
  #documented = false;

  constructor(options: { json: boolean; stdout: TerminalLike; stderr: TerminalLike; env: NodeJS.ProcessEnv }) {
    this.json = options.json;
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.#env = options.env;
  }

  /** A line of the result; left out with --json, where stdout holds one document. */
  line(...pieces: readonly (string | Styled)[]): void {
    if (!this.json) this.#write(this.#stdout, pieces);
  }

  /** The one document of --json: an error that follows a result (a failed --check) goes to stderr alone. */
  document(
    value:
      | PlanDocument
      | PlansDocument
      | PortsDocument
      | StatusDocument
      | ValidateDocument
      | DoctorDocument
      | ErrorDocument,
  ): void {
    if (!this.json || this.#documented) return;
    this.#documented = true;
    this.#stdout.write(`${visibleLines(JSON.stringify(value, null, 2))}\n`);
  }

  /** Something worth knowing that is not the result. */
  note(text: string): void {
    const label = text.startsWith("warning: ") ? styled("warning", "yellow") : styled("note", "cyan");
    this.#write(this.#stderr, [label, `: ${text.replace(/^warning: /, "")}`]);
  }

  /** How far a long run is: one line that the next one replaces, and only where a person watches. */
  progress(text: string): void {
    if (this.#stderr.isTTY !== true || this.#env["TERM"] === "dumb") return;
    this.#stderr.write(text === "" ? "\r\u001B[K" : `\r\u001B[K${visible(text)}`);
  }

  error(text: string, hint: string | undefined, details: readonly string[]): void {
    this.#write(this.#stderr, [styled("error", "red"), `: ${text}`]);
    for (const detail of details) this.#write(this.#stderr, [`  ${detail}`]);
    if (hint !== undefined) this.#write(this.#stderr, [styled("hint", "cyan"), `: ${hint}`]);
  }

  /** What a developer needs of a defect. */
  trace(error: Error): void {
    for (const line of error.stack?.split("\n") ?? []) this.#write(this.#stderr, [line]);
  }

  #write(stream: TerminalLike, pieces: readonly (string | Styled)[]): void {
    const isColoured = this.#wantsColour(stream);
    const texts = pieces.map((piece) => {
      if (typeof piece === "string") return visible(piece);
      const [on, off] = CODES[piece.style];
      const text = visible(piece.text);
      return isColoured ? `\u001B[${String(on)}m${text}\u001B[${String(off)}m` : text;
    });
    stream.write(`${texts.join("")}\n`);
  }

  // NO_COLOR (https://no-color.org): any value but the empty one switches colour off.
  #wantsColour(stream: TerminalLike): boolean {
    if ((this.#env["NO_COLOR"] ?? "") !== "" || this.#env["TERM"] === "dumb") return false;
    const forced = this.#env["FORCE_COLOR"];
    return (forced !== undefined && forced !== "0") || stream.isTTY === true;
  }
}
