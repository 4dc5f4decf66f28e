// Control characters; what changes the direction of text; what ends a line in some programs only; and the invisible mark
// that some editors put first.
const HIDDEN = /\p{Cc}|[\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]/gu;

/**
 * Text that came from a file or a name, as it may be printed within a line: whatever a terminal would act on, or would
 * show in another order than it stands there, is shown as an escape such as `\u001b`. Tabs stay.
 */
export function visible(text: string): string {
  return text.replaceAll(HIDDEN, (letter) => (letter === "\t" ? letter : escaped(letter)));
}

/** The same for a text of several lines. In the strings of a JSON text the escape means the same as the character. */
export function visibleLines(text: string): string {
  return text.split("\n").map(visible).join("\n");
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
