import type { Writable } from "node:stream";

import { visible } from "../lib/visible.ts";
import type { ErrorDocument, PlanDocument, PlansDocument, PortsDocument, StatusDocument } from "./documents.ts";

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

// In a line, the place of a styled piece: its number between two characters that no text has (Unicode keeps them out).
const PLACE = /\uFDD0(\d+)\uFDD1/g;

/**
 * Where a command's text goes. Results on stdout; warnings, progress and errors on stderr. Whatever is printed may have
 * come from a file or a name, so control characters are shown as escapes; colours are the only ones written raw.
 */
export class Output {
  readonly json: boolean;
  readonly #stdout: TerminalLike;
  readonly #stderr: TerminalLike;
  readonly #env: NodeJS.ProcessEnv;
  readonly #pieces: string[] = [];
  #documented = false;

  constructor(options: { json: boolean; stdout: TerminalLike; stderr: TerminalLike; env: NodeJS.ProcessEnv }) {
    this.json = options.json;
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.#env = options.env;
  }

  /** A line of the result; left out with --json, where stdout holds one document. */
  line(text = ""): void {
    if (!this.json) this.#write(this.#stdout, text);
    else this.#pieces.length = 0;
  }

  /** The one document of --json: an error that follows a result (a failed --check) goes to stderr alone. */
  document(value: PlanDocument | PlansDocument | PortsDocument | StatusDocument | ErrorDocument): void {
    if (!this.json || this.#documented) return;
    this.#documented = true;
    this.#stdout.write(`${visible(JSON.stringify(value, null, 2))}\n`);
  }

  /** Something worth knowing that is not the result. */
  note(text: string): void {
    const warning = text.startsWith("warning: ");
    const label = this.#styled(warning ? "warning" : "note", warning ? "yellow" : "cyan", this.#stderr);
    this.#write(this.#stderr, `${label}: ${text.replace(/^warning: /, "")}`);
  }

  error(text: string, hint: string | undefined, details: readonly string[]): void {
    this.#write(this.#stderr, `${this.#styled("error", "red", this.#stderr)}: ${text}`);
    for (const detail of details) this.#write(this.#stderr, `  ${detail}`);
    if (hint !== undefined) this.#write(this.#stderr, `${this.#styled("hint", "cyan", this.#stderr)}: ${hint}`);
  }

  /** What a developer needs of a defect. */
  trace(error: Error): void {
    this.#write(this.#stderr, error.stack ?? "");
  }

  /** A piece of the next line, in colour where stdout is a terminal. */
  style(text: string, style: Style): string {
    return this.#styled(text, style, this.#stdout);
  }

  #write(stream: TerminalLike, text: string): void {
    const pieces = this.#pieces.splice(0);
    stream.write(`${visible(text).replaceAll(PLACE, (_, place: string) => pieces[Number(place)] ?? "")}\n`);
  }

  // NO_COLOR (https://no-color.org): any value but the empty one switches colour off.
  #styled(text: string, style: Style, stream: TerminalLike): string {
    const wanted =
      this.#env["FORCE_COLOR"] !== undefined && this.#env["FORCE_COLOR"] !== "0" ? true : stream.isTTY === true;
    if (!wanted || (this.#env["NO_COLOR"] ?? "") !== "" || this.#env["TERM"] === "dumb") return text;
    const [on, off] = CODES[style];
    this.#pieces.push(`\u001B[${String(on)}m${visible(text)}\u001B[${String(off)}m`);
    return `\uFDD0${String(this.#pieces.length - 1)}\uFDD1`;
  }
}
