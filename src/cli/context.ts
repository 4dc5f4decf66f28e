import { basename, dirname, join, resolve } from "node:path";

import { isPrebuilt, loadCatalogue, templatesDigest, type Prebuilt } from "../catalogue/load.ts";
import type { Context } from "../commands/context.ts";
import type { Place } from "../flow/place.ts";
import { usageError } from "../lib/errors.ts";
import type { Interrupt } from "../lib/interrupt.ts";
import { quotedForShell } from "../lib/shell.ts";
import { SCAFFOLD_DIR, type Provenance } from "../plan/state.ts";
import { isThere, readText } from "../host/files.ts";
import { Output } from "../report/output.ts";
import { SPEC_FILE } from "../root/framework.ts";
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
 * Below a framework's directory, the default root would be a new one inside it, which knows nothing of the ports of the
 * others.
 * @throws UserError exit 2
 */
function requireOutside(cwd: string): void {
  for (let dir = cwd; dir !== dirname(dir); dir = dirname(dir)) {
    if (!isThere(join(dir, SPEC_FILE)) || !isThere(join(dir, SCAFFOLD_DIR))) continue;
    const root = dirname(dir);
    throw usageError(
      `this is inside the directory of the framework ${basename(dir)}, and there is no root here`,
      `cd ${quotedForShell(dirname(root))}, or add --root ${quotedForShell(root)}`,
    );
  }
}

/** A directory, as a shell completes it, stands for its name: `frameworks/crewai/` and `crewai/` for `crewai`. */
function frameworkName(typed: string, cwd: string, root: string): string {
  if (!typed.includes("/")) return typed;
  const place = resolve(cwd, typed);
  return dirname(place) === root ? basename(place) : typed.replace(/\/+$/, "");
}

/** What is written into the state file of a directory. Templates that are the built-in ones are nobody's own. */
function provenanceOf(
  { packageRoot, prebuilt }: Program,
  templates: Context["place"]["catalogue"]["templates"],
  areGiven: boolean,
): Provenance {
  const areKnown = isPrebuilt(templates, prebuilt);
  return {
    program: version(packageRoot).trim(),
    templates: areKnown ? prebuilt.digest : templatesDigest(templates),
    isOwn: areGiven && !areKnown,
  };
}

/** The program's version, as a line. */
export function version(packageRoot: string): string {
  const value: unknown = JSON.parse(readText(join(packageRoot, "package.json")));
  const found = typeof value === "object" && value !== null && "version" in value ? value.version : "";
  return `${String(found)}\n`;
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
  const typed = parseFlags(args, table);
  const rootFlag = typed.text("root");
  if (rootFlag === "") throw usageError("--root needs a directory", "leave it out for ./frameworks");
  if (rootFlag === undefined) requireOutside(cwd);
  const shown = (rootFlag ?? DEFAULT_ROOT).replace(/(?<=.)\/+$/, "");
  const root = resolve(cwd, shown);
  const flags = COMMANDS[name].args.includes("FRAMEWORK")
    ? typed.withPositionals(typed.positionals.map((each) => frameworkName(each, cwd, root)))
    : typed;
  let provenance: Provenance | undefined;
  const place: Place = {
    root,
    shown,
    catalogue,
    provenance: () => (provenance ??= provenanceOf(program, catalogue.templates, templates !== undefined)),
    mayDowngrade: flags.isSet("allow-downgrade"),
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
