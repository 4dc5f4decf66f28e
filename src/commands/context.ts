import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Readable } from "node:stream";

import type { Catalogue } from "../catalogue/catalogue.ts";
import { loadCatalogue, type Prechecked } from "../catalogue/load.ts";
import { usageError, type ExitCode } from "../errors.ts";
import type { Place } from "../pipeline.ts";
import type { Precompiled } from "../render/engine.ts";
import type { Output } from "../report/output.ts";
import type { ParsedFlags } from "./flags.ts";

/** What a command may know of the process it runs in. */
export interface Context {
  cwd: string;
  env: NodeJS.ProcessEnv;
  stdin: Readable & { isTTY?: boolean | undefined };
  stdout: NodeJS.WriteStream;
  out: Output;
  flags: ParsedFlags;
  /** The built-in templates folder. */
  templates: string;
  precompiled: Precompiled;
  prechecked: Prechecked;
  /** Set by a command once its change is decided: a signal then no longer says "nothing changed". */
  commit: { done: boolean };
}

export interface Command {
  help: string;
  run: (context: Context) => Promise<ExitCode>;
}

const DEFAULT_ROOT = "frameworks";

export function flagText(context: Context, name: string): string | undefined {
  const value = context.flags.values[name];
  return typeof value === "string" ? value : undefined;
}

export function flagSet(context: Context, name: string): boolean {
  return context.flags.values[name] === true;
}

/** Whether a person sits at both ends: can be asked, and sees the question. With --json, stdout is for a program. */
export function isInteractive(context: Context): boolean {
  return context.stdin.isTTY === true && context.stdout.isTTY;
}

/** @throws UserError exit 2 where a check would be green because the root that was given is not there */
export function requireRoot(context: Context, { root, shown }: Place): void {
  if (flagText(context, "root") === undefined || !flagSet(context, "check") || existsSync(root)) return;
  throw usageError(`${shown} does not exist, so there is nothing to check`, "check what --root says", [], "no-root");
}

export async function openPlace(context: Context): Promise<Place> {
  const rootFlag = flagText(context, "root");
  if (rootFlag === "") throw usageError("--root needs a directory", "leave it out for ./frameworks");
  const templatesFlag = flagText(context, "templates");
  const catalogue: Catalogue = await loadCatalogue(
    templatesFlag === undefined ? context.templates : resolve(context.cwd, templatesFlag),
    context.prechecked,
  );
  const shown = (rootFlag ?? DEFAULT_ROOT).replace(/(?<=.)\/+$/, "");
  return { root: resolve(context.cwd, shown), shown, catalogue, precompiled: context.precompiled };
}
