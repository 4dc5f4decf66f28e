/** Whether a parsed value is a mapping: not a list, not null. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A parsed value as a mapping; whatever else it is, as an empty one. */
export function mapping(value: unknown): Record<string, unknown> {
  return isMapping(value) ? value : {};
}
