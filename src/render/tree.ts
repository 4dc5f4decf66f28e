export interface RenderedFile {
  content: string;
  /** Unix permission bits. */
  mode: number;
}

/** A directory in memory: relative path with `/` -> file. */
export type Tree = ReadonlyMap<string, RenderedFile>;

export const MODE = { file: 0o644, script: 0o755, secret: 0o600 } as const;

/** Collects rendered files; two producers of one path are a defect of the templates. */
export class TreeBuilder {
  readonly #files = new Map<string, RenderedFile>();

  /** @param content the text, or what makes it once somebody asks for it */
  add(path: string, content: string | (() => string), mode: number = MODE.file): void {
    if (this.#files.has(path)) throw new Error(`two templates produce ${path}`);
    if (!isContained(path)) throw new Error(`a template produces ${path}, which is outside the directory`);
    this.#files.set(path, typeof content === "string" ? { content, mode } : lazyFile(content, mode));
  }

  build(): Tree {
    return new Map([...this.#files].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
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
