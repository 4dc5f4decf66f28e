import type { Entry, Value } from "./outline.ts";
import { CannotSplice } from "./splice.ts";

/** A value for a flow collection: quoted as JSON wherever its own text could mean something else there. */
export function flowValue(source: string, value: Value): string {
  const safe = value.kind === "scalar" && /^(?:[\w./-]+|"[^"\\\n]*"|'[^'\n]*')$/.test(source);
  return safe ? source : JSON.stringify(value.js ?? null);
}

/** A new entry of a flow collection. @param text the one that the entry is from */
export function flowEntry(text: string, entry: Entry, kind: Value["kind"]): string {
  const value = flowValue(text.slice(entry.value.text.start, entry.value.text.end), entry.value);
  if (kind === "list") return value;
  return `${/^[\w.-]+$/.test(entry.id) ? entry.id : JSON.stringify(entry.id)}: ${value}`;
}

/** A flow collection without some of its entries and with others. @throws CannotSplice where a comment stands in it */
export function rebuiltFlow(
  text: string,
  value: Value,
  gone: ReadonlySet<Entry>,
  added: readonly { item: string; after: Entry | undefined }[],
): string {
  const own = text.slice(value.text.start, value.text.end);
  if (/[\s,[{]#|\n/.test(own))
    throw new CannotSplice("a flow collection over several lines, or with a comment, stands in the way");
  const behind = (entry: Entry | undefined): string[] =>
    added.filter(({ after }) => after === entry).map(({ item }) => item);
  const items = [
    ...behind(undefined),
    ...(value.entries ?? []).flatMap((entry) => [
      ...(gone.has(entry) ? [] : [text.slice(entry.start, entry.end)]),
      ...behind(entry),
    ]),
  ];
  const [, open = "", pad = ""] = /^([[{])(\s*)/.exec(own.slice(own.search(/[[{]/))) ?? [];
  const prefix = own.slice(0, own.search(/[[{]/));
  const gap = items.length === 0 ? "" : pad;
  return `${prefix}${open}${gap}${items.join(", ")}${gap}${open === "[" ? "]" : "}"}`;
}
