import { sha256 } from "../../src/lib/digest.ts";
import type { Disk, DiskFile } from "../../src/plan/disk.ts";
import { basePath, offeredPath } from "../../src/plan/state.ts";
import type { Tree } from "../../src/render/tree.ts";

type Texts = Record<string, string | undefined>;

const file = (text: string): DiskFile => ({ text, sha256: sha256(text), exact: true });

/** A directory as the plan sees it: files, and what is stored of them below `.scaffold/`. */
export function diskOf(files: Texts, base: Texts = {}, offered: Texts = {}): Disk {
  const named = (texts: Texts, name: (path: string) => string): [string, DiskFile][] =>
    Object.entries(texts).flatMap(([path, text]) => (text === undefined ? [] : [[name(path), file(text)]]));
  return new Map([...named(files, (path) => path), ...named(base, basePath), ...named(offered, offeredPath)]);
}

/** A rendered tree of plain files. */
export function textTree(texts: Texts): Tree {
  return new Map(
    Object.entries(texts).flatMap(([path, content]) =>
      content === undefined ? [] : [[path, { content, mode: 0o644 }]],
    ),
  );
}
