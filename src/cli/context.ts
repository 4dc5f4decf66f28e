import { join, resolve } from "node:path";

import { loadCatalogue, type Prebuilt } from "../catalogue/load.ts";
import type { Context } from "../commands/context.ts";
import type { Place } from "../flow/place.ts";
import { usageError } from "../lib/errors.ts";
import type { Interrupt } from "../lib/interrupt.ts";
import { Output } from "../report/output.ts";
import { parseFlags, peek } from "./flags.ts";
import { requireOwnFlags } from "./npm.ts";
import { COMMANDS, type CommandName } from "./table.ts";

const DEFAULT_ROOT = "frameworks";

/** What a process is made of: where the program lies, what its build made, where it prints, what can end it. */
export interface Program {
  /** Directory with package.json and templates/. */
  packageRoot: string;
  prebuilt: Prebuilt;
  out: Output;
  interrupt: Interrupt;
}

/** Where this process prints. */
export function outputFor(args: readonly string[]): Output {
  return new Output({
    json: args.includes("--json"),
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  });
}

/**
 * Everything that a command may know of the process.
 * @throws UserError exit 2 for flags that cannot be understood, and for templates that cannot be used
 */
export async function contextFor(name: CommandName, args: readonly string[], program: Program): Promise<Context> {
  const { packageRoot, prebuilt, out, interrupt } = program;
  const cwd = process.cwd();
  const templates = peek(args, "templates");
  // Which flags there are, the catalogue says: each service that can be used from outside has two.
  const catalogue = await loadCatalogue(
    templates === undefined ? join(packageRoot, "templates") : resolve(cwd, templates),
    prebuilt,
  );
  const table = COMMANDS[name].flags(catalogue);
  requireOwnFlags(name, process.env, args, table);
  const flags = parseFlags(args, table);
  const rootFlag = flags.text("root");
  if (rootFlag === "") throw usageError("--root needs a directory", "leave it out for ./frameworks");
  const shown = (rootFlag ?? DEFAULT_ROOT).replace(/(?<=.)\/+$/, "");
  const place: Place = {
    root: resolve(cwd, shown),
    shown,
    catalogue,
    interrupt,
    onNote: (text) => {
      out.note(text);
    },
    onWait: () => {
      out.note(`another command is working in ${shown}; waiting for it`);
    },
  };
  return {
    cwd,
    env: process.env,
    // Made by Node when it is asked for, which costs time that most commands need not spend.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    out,
    flags,
    place,
  };
}
