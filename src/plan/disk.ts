/** A file as it is on disk. */
export interface DiskFile {
  text: string;
  /** sha256 of its bytes. */
  readonly sha256: string;
  /** False when its bytes are not UTF-8, so that writing the text back would change them. */
  exact: boolean;
}

/** Files by path inside a framework's directory; what is not there is absent. */
export type Disk = ReadonlyMap<string, DiskFile>;

/** A text for comparisons: line ends that git changed are no edits. */
export function plain(text: string | undefined): string | undefined {
  return text?.includes("\r") === true ? text.replaceAll("\r\n", "\n") : text;
}

/** Whether two texts are the same, but for line ends that git changed. */
export function isSameText(a: string | undefined, b: string | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && plain(a) === plain(b));
}

/** The text with the line ends of what it replaces. */
export function withEndsOf(text: string, old: string): string {
  return old.includes("\r\n") ? text.replaceAll(/\r?\n/g, "\r\n") : text;
}
