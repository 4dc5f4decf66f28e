/** Longest framework name: with the longest container's name behind it, container names stay below Docker's and DNS' 63. */
export const MAX_NAME_LENGTH = 40;

export const NAME_PATTERN = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

// Names that Windows keeps for devices, with or without an ending. A directory
// called `con` cannot be checked out there.
const DEVICE_NAMES = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/;

/**
 * What is wrong with a framework name, as a sentence, or undefined when it is fine.
 * @param reserved patterns of names that a service of the catalogue needs for itself
 */
export function nameProblem(name: string, reserved: readonly RegExp[] = []): string | undefined {
  if (name === "") return "a name is needed";
  if (name.length > MAX_NAME_LENGTH) {
    return `"${shorten(name)}" is too long: at most ${String(MAX_NAME_LENGTH)} characters`;
  }
  if (!NAME_PATTERN.test(name)) {
    return `"${shorten(name)}" is not a framework name: use lower-case letters, digits and single hyphens, starting with a letter`;
  }
  if (DEVICE_NAMES.test(name)) {
    return `"${name}" is a device name on Windows, so the directory could not be checked out there`;
  }
  if (reserved.some((pattern) => pattern.test(name))) {
    return `"${name}" is reserved: a service of the stack uses it for its own database, role or container`;
  }
  return undefined;
}

/** A name made from what was typed, or undefined when nothing usable is in it: for hints only. */
export function suggestName(input: string): string | undefined {
  const name = input
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{Mark}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, MAX_NAME_LENGTH)
    .replaceAll(/^-+|-+$/g, "");
  return nameProblem(name) === undefined ? name : undefined;
}

/** `google-adk` becomes `google_adk`: the form for SQL identifiers, containers, volumes and networks. */
export function underscored(name: string): string {
  return name.replaceAll("-", "_");
}

// What was typed is echoed in an error, so control characters (terminal escapes) go.
function shorten(text: string): string {
  const printable = text.replaceAll(/[\p{Control}\p{Format}]/gu, "?");
  return printable.length > 60 ? `${printable.slice(0, 57)}...` : printable;
}
