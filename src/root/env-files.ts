import { join, normalize, resolve } from "node:path";

import { envFilesOf } from "../compose/env-files.ts";
import type { Compose } from "../compose/model.ts";
import { trackedFiles } from "../host/git.ts";
import { isThere, textOf } from "../host/files.ts";
import { UserError } from "../lib/errors.ts";
import type { EnvFile } from "../rules/rule.ts";

/**
 * The files of `env_file` of a stack's services. Only those in the stack's directory are read: of another one, it is
 * enough that it is there.
 * @param dir absolute path of the directory
 * @param shown the same as it is shown to people
 */
export function readEnvFiles({ services }: Compose, dir: string, shown: string): EnvFile[] {
  const entries = [...services.values()].flatMap((service) =>
    envFilesOf(service).map((entry) => ({ service: service.name, ...entry })),
  );
  if (entries.length === 0) return [];
  const read = new Map<string, Pick<EnvFile, "text" | "problem">>();
  const found = entries.map(({ service, path, required }): EnvFile => {
    const absolute = resolve(dir, path);
    const isInside = absolute.startsWith(`${dir}/`);
    const inside = isInside ? normalize(path) : undefined;
    const file = path.startsWith("/") ? path : join(shown, path);
    let content = read.get(absolute);
    if (content === undefined) read.set(absolute, (content = contentOf(absolute, file, isInside)));
    return {
      service,
      path,
      required,
      file,
      isOwnEnv: absolute === `${dir}/.env`,
      inside,
      isTracked: false,
      ...content,
    };
  });
  const names = found.flatMap(({ inside }) => (inside === undefined ? [] : [inside]));
  const tracked = names.length === 0 ? new Set<string>() : trackedFiles(dir, names);
  return found.map((each) => ({ ...each, isTracked: tracked?.has(each.inside ?? "") }));
}

function contentOf(absolute: string, file: string, isInside: boolean): Pick<EnvFile, "text" | "problem"> {
  if (!isThere(absolute)) return { text: undefined, problem: "missing" };
  if (!isInside) return { text: undefined, problem: undefined };
  try {
    const text = textOf(absolute, file);
    return text === undefined ? { text, problem: "unreadable" } : { text, problem: undefined };
  } catch (error) {
    if (error instanceof UserError) return { text: undefined, problem: "unreadable" };
    throw error;
  }
}
