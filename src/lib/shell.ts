import { visible } from "./visible.ts";

/** A word as it can be pasted into a shell; one with characters that cannot be printed in Bash's form for them. */
export function quotedForShell(word: string): string {
  if (/^[\w./-]+$/.test(word)) return word;
  if (visible(word) === word && !word.includes("\t")) return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  const escaped = word.replaceAll(/[\\']/g, String.raw`\$&`).replaceAll("\t", String.raw`\t`);
  return `$'${visible(escaped)}'`;
}
