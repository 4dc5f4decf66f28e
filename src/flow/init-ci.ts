import { usageError } from "../lib/errors.ts";
import { quotedForShell } from "../lib/shell.ts";
import type { Place } from "./place.ts";

/** Have a code host check the directories at every change. */
export interface InitCiRequest {
  place: Place;
  /** The repository's directory, absolute. */
  cwd: string;
  host: CiHost;
  /** The templates folder that was given, if one was. */
  templates: string | undefined;
}

export interface InitCiResult {
  /** Relative to the repository. */
  file: string;
  /** Whether it was there already, with just this text. */
  wasThere: boolean;
  host: CiHost;
}

/** Where each code host looks for it, or is told to. */
export const CI_FILES = {
  github: ".github/workflows/framework-infra.yml",
  gitlab: ".gitlab/framework-infra.yml",
} as const;

export type CiHost = keyof typeof CI_FILES;

/** Whether there is a file for a code host of that name. */
export function isCiHost(text: string): text is CiHost {
  return Object.hasOwn(CI_FILES, text);
}

/**
 * Writes the file that has a code host run `regenerate --check` and `validate`.
 * @throws UserError exit 2 when there is another file in its place: people edit it
 */
export async function initCi({ place, cwd, host, templates }: InitCiRequest): Promise<InitCiResult> {
  const path = `ci/${host}.yaml`;
  const source = place.catalogue.templates.get(path)?.source;
  if (source === undefined)
    throw usageError(`the templates have no ${path}`, "copy templates/ci/ of this project into them");
  const flags = [
    ...(place.shown === "frameworks" ? [] : [["--root", place.shown]]),
    ...(templates === undefined ? [] : [["--templates", templates]]),
  ].map(([flag = "", value = ""]) => ` ${flag} ${quotedForShell(value)}`);
  const { writeNew } = await import("../apply/new-file.ts");
  const file = CI_FILES[host];
  return {
    file,
    host,
    wasThere: !writeNew(
      cwd,
      file,
      source.replaceAll("@FLAGS@", () => flags.join("")),
    ),
  };
}
