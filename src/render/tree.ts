import { usageError, type UserError } from "../lib/errors.ts";

export interface RenderedFile {
  content: string;
  /** Unix permission bits. */
  mode: number;
}

/** A directory in memory: relative path with `/` -> file. */
export type Tree = ReadonlyMap<string, RenderedFile>;

export const MODE = { file: 0o644, script: 0o755, secret: 0o600 } as const;

// What the program itself keeps in a directory: the base, and the other side of a conflict.
const KEPT = /^\.scaffold(?:\/|$)|\.incoming$/;

/** Collects rendered files. */
export class TreeBuilder {
  readonly #files = new Map<string, RenderedFile>();
  readonly #from = new Map<string, string>();

  /**
   * @param content the text, or what makes it once somebody asks for it
   * @param from the template, for errors
   * @throws UserError exit 2 for a path that another template makes, or that templates may not make
   */
  add(path: string, content: string | (() => string), mode: number, from: string): void {
    const other = this.#from.get(path);
    if (other !== undefined) throw misplaced(from, `makes ${path}, and so does ${other}`);
    if (!isContained(path)) throw misplaced(from, `makes ${path}, which is outside the directory`);
    if (KEPT.test(path)) throw misplaced(from, `makes ${path}, which is a name that this program uses itself`);
    this.#from.set(path, from);
    this.#files.set(path, typeof content === "string" ? { content, mode } : lazyFile(content, mode));
  }

  build(): Tree {
    return new Map([...this.#files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function misplaced(from: string, what: string): UserError {
  return usageError(`templates/${from}: ${what}`, "give the template another name", [], "template");
}

function lazyFile(make: () => string, mode: number): RenderedFile {
  let text: string | undefined;
  return {
    mode,
    get content() {
      return (text ??= make());
    },
  };
}

/**
 * Whether a relative path stays inside the directory it is written to. Rejects absolute paths,
 * `..`, empty parts and backslashes. Links on disk are not its business: apply checks those.
 */
export function isContained(path: string): boolean {
  return (
    path !== "" &&
    !path.startsWith("/") &&
    !/[\\\0]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..")
  );
}
