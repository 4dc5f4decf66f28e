import type { Writable } from "node:stream";

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

/** Where a command's text goes. Results on stdout; warnings, progress and errors on stderr. */
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
  line(text = ""): void {
    if (!this.json) this.#stdout.write(`${text}\n`);
  }

  /** The one document of --json: an error that follows a result (a failed --check) goes to stderr alone. */
  document(value: PlanDocument | PlansDocument | PortsDocument | StatusDocument | ErrorDocument): void {
    if (!this.json || this.#documented) return;
    this.#documented = true;
    this.#stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Something worth knowing that is not the result. */
  note(text: string): void {
    const warning = text.startsWith("warning: ");
    const label = this.styled(warning ? "warning" : "note", warning ? "yellow" : "cyan", this.#stderr);
    this.#stderr.write(`${label}: ${text.replace(/^warning: /, "")}\n`);
  }

  error(text: string, hint: string | undefined, details: readonly string[]): void {
    this.#stderr.write(`${this.styled("error", "red", this.#stderr)}: ${text}\n`);
    for (const detail of details) this.#stderr.write(`  ${detail}\n`);
    if (hint !== undefined) this.#stderr.write(`${this.styled("hint", "cyan", this.#stderr)}: ${hint}\n`);
  }

  style(text: string, style: Style): string {
    return this.styled(text, style, this.#stdout);
  }

  // NO_COLOR (https://no-color.org): any value but the empty one switches colour off.
  private styled(text: string, style: Style, stream: TerminalLike): string {
    const wanted =
      this.#env["FORCE_COLOR"] !== undefined && this.#env["FORCE_COLOR"] !== "0" ? true : stream.isTTY === true;
    if (!wanted || (this.#env["NO_COLOR"] ?? "") !== "" || this.#env["TERM"] === "dumb") return text;
    const [on, off] = CODES[style];
    return `\u001B[${String(on)}m${text}\u001B[${String(off)}m`;
  }
}
