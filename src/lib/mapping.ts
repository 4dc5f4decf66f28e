/** Whether a parsed value is a mapping: not a list, not null. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A parsed value as a mapping; whatever else it is, as an empty one. */
export function mapping(value: unknown): Record<string, unknown> {
  return isMapping(value) ? value : {};
}

/** A parsed value as text; whatever else it is, as an empty one. */
export function textual(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A parsed value with every text in it changed; keys stay as they are. */
export function withTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((each) => withTexts(each, change));
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withTexts(each, change)]));
}
