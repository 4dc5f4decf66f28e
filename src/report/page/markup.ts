import { visible } from "../../lib/visible.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Text of anybody, as text or as the value of an attribute; what XML 1.0 cannot hold is shown as an escape. */
export function escapedText(text: string): string {
  return visible(text).replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);
}

/** Markup in which everything that came from elsewhere is escaped. Only `markup` makes it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Piece = string | number | Markup | readonly Markup[] | undefined;

/** A template of markup: what is put into it is escaped, unless it is markup itself. */
export function markup(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  const texts = parts.map((part, index) => part + (index < pieces.length ? textOf(pieces[index]) : ""));
  return new Markup(texts.join(""));
}

function textOf(piece: Piece): string {
  if (piece === undefined) return "";
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === "object") return piece.map(({ text }) => text).join("");
  return escapedText(String(piece));
}
