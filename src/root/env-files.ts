import { realpathSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";

import { envFilesOf } from "../compose/env-files.ts";
import { isInProfiles, type Compose } from "../compose/model.ts";
import { textOf } from "../host/files.ts";
import { isTracked } from "../host/git.ts";
import { homeDirectory } from "../host/machine.ts";
import { isErrno, UserError } from "../lib/errors.ts";
import type { EnvFile } from "../rules/rule.ts";

/**
 * The files of `env_file` of a stack's services. Only those in the stack's directory are read: of another one, it is
 * enough that it is there. A link is where it leads to.
 * @param profiles that are switched on: Compose leaves others alone
 * @param dir absolute path of the directory
 * @param shown the same as it is shown to people
 */
export function readEnvFiles(
  { services }: Compose,
  profiles: ReadonlySet<string>,
  dir: string,
  shown: string,
): EnvFile[] {
  const read = new Map<string, Content>();
  return [...services.values()]
    .filter((service) => isInProfiles(service, profiles))
    .flatMap((service) =>
      envFilesOf(service).map(({ path, required }): EnvFile => {
        const absolute = path.startsWith("~/") ? join(homeDirectory(), path.slice(2)) : resolve(dir, path);
        let content = read.get(absolute);
        if (content === undefined) read.set(absolute, (content = contentOf(absolute, dir)));
        const { inside, ...rest } = content;
        const named = isAbsolute(path) || path.startsWith("~/") ? path : join(shown, path);
        const file = inside === undefined ? named : join(shown, inside);
        return { service: service.name, path, required, file, isOwnEnv: inside === ENV, ...rest };
      }),
    );
}

const ENV = ".env";

interface Content extends Pick<EnvFile, "text" | "problem" | "isTracked"> {
  /** Relative to the stack's directory; undefined for one elsewhere. */
  inside: string | undefined;
}

function contentOf(absolute: string, dir: string): Content {
  const nothing = { text: undefined, problem: undefined, isTracked: false };
  try {
    const root = realpathSync(dir);
    const real = realpathSync(absolute);
    if (!real.startsWith(`${root}/`)) return { ...nothing, inside: undefined };
    const inside = relative(root, real);
    const text = textOf(real, inside);
    if (text === undefined) return { ...nothing, inside, problem: "unreadable" };
    return { text, problem: undefined, inside, isTracked: isTracked(root, inside) };
  } catch (error) {
    // Of the system, of what is in the file's place, or of a path with a NUL byte.
    if (!(error instanceof Error) || (!(error instanceof UserError) && !("code" in error))) throw error;
    const inside = absolute.startsWith(`${dir}/`) ? relative(dir, absolute) : undefined;
    const isMissing = isErrno(error, "ENOENT", "ENOTDIR");
    return { ...nothing, inside, problem: isMissing ? "missing" : "unreadable" };
  }
}
