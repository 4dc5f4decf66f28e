import { mapping } from "../lib/mapping.ts";
import type { Service } from "./model.ts";

/** A file that a service takes variables from, as its `env_file` names it. */
export interface EnvFileEntry {
  path: string;
  /** Whether Compose refuses to start without it. */
  required: boolean;
}

/** The files of a service's `env_file`: a path, or a list of paths and of `{path, required}`. */
export function envFilesOf({ settings }: Service): EnvFileEntry[] {
  const { env_file: written } = settings;
  const entries: unknown[] = Array.isArray(written) ? written : [written];
  return entries.flatMap((entry) => {
    const { path, required } = typeof entry === "string" ? { path: entry, required: true } : mapping(entry);
    return typeof path === "string" && path !== "" ? [{ path, required: required !== false }] : [];
  });
}
