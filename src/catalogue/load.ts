import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type * as z from "zod/mini";

import { sha256 } from "../lib/digest.ts";
import { isErrno, problemsError, unreadable, usageError, UserError, type Problem } from "../lib/errors.ts";
import type { Catalogue, Template } from "./catalogue.ts";
import { checkCatalogue } from "./checks.ts";
import type { commonEnvSchema, Manifest, Preset } from "./manifest.ts";

interface PrebuiltFile {
  /** The text that the build saw. */
  source: string;
  /** The compiled template. */
  compiled?: unknown;
  /** The manifest or preset, parsed and checked. All of them were checked together as one catalogue. */
  checked?: unknown;
}

/**
 * What the build made of the templates, by path. It counts as long as the file has the text that the build saw, so an
 * edited one is compiled and checked as usual and takes effect without a build.
 */
export interface Prebuilt {
  /** Every file of the templates. */
  files: ReadonlyMap<string, PrebuiltFile>;
  /** `templatesDigest` of them. */
  digest: string;
}

export const NOT_PREBUILT: Prebuilt = { files: new Map(), digest: "" };

/** Whether these are the templates that the build saw, all of them. */
export function isPrebuilt(templates: ReadonlyMap<string, Template>, { files }: Prebuilt): boolean {
  return (
    files.size === templates.size && [...templates].every(([path, { source }]) => files.get(path)?.source === source)
  );
}

/** sha256 over the paths and texts of templates, which are sorted by path. */
export function templatesDigest(templates: ReadonlyMap<string, Pick<Template, "source">>): string {
  return sha256(JSON.stringify([...templates].map(([path, { source }]) => [path, source])));
}

const CHECKED_FILE = /^(?:services\/[^/]+\/service\.yaml|presets\/[^/]+\.yaml|framework\/env\.yaml)$/;

/** Whether these are the manifests and presets that the build checked as one catalogue: no other, none missing. */
function wereChecked(templates: ReadonlyMap<string, Template>, { files }: Prebuilt): boolean {
  const same = ([path, { source }]: readonly [string, { source: string }]): boolean =>
    !CHECKED_FILE.test(path) || (templates.get(path)?.source === source && files.get(path)?.source === source);
  return files.size > 0 && [...templates].every(same) && [...files].every(same);
}

type SchemaName = "manifestSchema" | "presetSchema" | "commonEnvSchema";

interface Placed<T> {
  file: string;
  value: T;
}

/**
 * Reads a templates folder.
 * @param folder absolute path
 * @throws UserError (exit 2) with file, line and key of every problem
 */
export async function loadCatalogue(folder: string, prebuilt: Prebuilt = NOT_PREBUILT): Promise<Catalogue> {
  const templates = readTemplates(folder, prebuilt);
  const problems: Problem[] = [];

  const load = async <T>(path: string, schema: SchemaName): Promise<Placed<T>[]> => {
    const source = templates.get(path)?.source;
    if (source === undefined) return [];
    const known = prebuilt.files.get(path);
    // The build put it there after the same schema had accepted it.
    if (known?.source === source && known.checked !== undefined) return [{ file: path, value: known.checked as T }];
    const { parseYaml } = await import("../lib/yaml.ts");
    const schemas = await import("./manifest.ts");
    try {
      return [{ file: path, value: parseYaml(source, path, schemas[schema] as unknown as z.ZodMiniType<T>) }];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.details);
      return [];
    }
  };

  const services: Placed<Manifest>[] = [];
  const presets: Placed<Preset>[] = [];
  for (const path of templates.keys()) {
    if (/^services\/[^/]+\/service\.yaml$/.test(path)) services.push(...(await load<Manifest>(path, "manifestSchema")));
    else if (/^presets\/[^/]+\.yaml$/.test(path)) presets.push(...(await load<Preset>(path, "presetSchema")));
  }
  const common = await load<z.output<typeof commonEnvSchema>>("framework/env.yaml", "commonEnvSchema");
  for (const folderName of serviceFolders(templates)) {
    for (const needed of ["service.yaml", "compose.yaml.hbs"]) {
      if (!templates.has(`services/${folderName}/${needed}`)) {
        problems.push({ file: `services/${folderName}`, message: `${needed} is missing` });
      }
    }
  }
  if (problems.length === 0 && !wereChecked(templates, prebuilt))
    problems.push(...checkCatalogue(services, presets), ...missingParts(services, templates));
  if (common.length === 0 && problems.length === 0)
    problems.push({ file: "framework/env.yaml", message: "is missing" });
  if (problems.length > 0)
    throw problemsError(`the templates in ${folder} cannot be used`, problems, "see docs/writing-a-service.md");

  return {
    services: new Map(services.map(({ value }) => [value.id, value])),
    presets: new Map(presets.map(({ value }) => [value.id, value])),
    commonEnv: common[0]?.value.env ?? [],
    templates,
  };
}

function serviceFolders(templates: ReadonlyMap<string, Template>): Set<string> {
  const folders = new Set<string>();
  for (const path of templates.keys()) {
    const match = /^services\/([^/]+)\//.exec(path);
    if (match?.[1] !== undefined) folders.add(match[1]);
  }
  return folders;
}

/** All files below the folder, sorted by path so that nothing depends on the file system's order. */
function readTemplates(folder: string, prebuilt: Prebuilt): Map<string, Template> {
  let paths: string[];
  try {
    paths = listFiles(folder, "");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) {
      throw usageError(
        `${folder} is not a templates folder`,
        "give --templates a folder with framework/, services/ and presets/ in it",
      );
    }
    throw error;
  }
  if (!paths.some((path) => path.startsWith("framework/"))) {
    throw usageError(
      `${folder} is not a templates folder: it has no framework/ in it`,
      "copy the built-in templates folder and edit the copy",
    );
  }
  return new Map(
    paths.toSorted().map((path): [string, Template] => {
      const source = readTemplate(folder, path);
      const known = prebuilt.files.get(path);
      return [path, { path, source, compiled: known?.source === source ? known.compiled : undefined }];
    }),
  );
}

function readTemplate(folder: string, path: string): string {
  try {
    return readFileSync(join(folder, path), "utf8");
  } catch (error) {
    throw isErrno(error, "EACCES", "EPERM") ? unreadable(join(folder, path)) : error;
  }
}

function listFiles(folder: string, below: string): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    // Links are not followed: a templates folder is copied around, and a link could lead anywhere.
    if (entry.isDirectory()) return listFiles(folder, path);
    // Editors leave backup and swap files behind.
    return entry.isFile() && !/(?:~|\.swp|\.orig|^\.DS_Store)$/.test(entry.name) ? [path] : [];
  });
}

/** Services that say that they save a volume themselves, and bring no script that does. */
function missingParts(
  services: readonly { file: string; value: Manifest }[],
  templates: ReadonlyMap<string, Template>,
): Problem[] {
  return services.flatMap(({ file, value: { id, volumes } }) => {
    const part = `services/${id}/emit/scripts/services/${id}.sh`;
    const isThere = templates.has(part) || templates.has(`${part}.hbs`);
    if (isThere || volumes.every(({ saved }) => saved !== "service")) return [];
    return [{ file, key: "volumes", message: `a volume is \`saved: service\`, and there is no ${part}` }];
  });
}
