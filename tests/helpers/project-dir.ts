import fs from "fs-extra";
import { join } from "node:path";

import { cli } from "./cli.ts";
import { TEMPLATES } from "./project.ts";
import { tempDir } from "./temp.ts";

/** A working directory with frameworks in it, made by the built program. */
export class Workspace {
  readonly cwd: string;

  /** @param cwd a directory that the caller removes; by default one that goes with the test */
  constructor(cwd = tempDir()) {
    this.cwd = cwd;
  }

  async make(name: string, services = "qdrant,postgres", ...flags: string[]): Promise<this> {
    const { code, stderr } = await cli(["new-framework", name, "--yes", "--services", services, ...flags], {
      cwd: this.cwd,
    });
    if (code !== 0) throw new Error(stderr);
    return this;
  }

  run(...args: string[]): ReturnType<typeof cli> {
    return cli(args, { cwd: this.cwd });
  }

  /** Runs a command that must end with 0. @returns what it printed */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${String(code)}: ${stdout}${stderr}`);
    return stdout + stderr;
  }

  path(path: string): string {
    return join(this.cwd, "frameworks", path);
  }

  read(path: string): string {
    return fs.readFileSync(this.path(path), "utf8");
  }

  write(path: string, text: string): void {
    fs.outputFileSync(this.path(path), text);
  }

  has(path: string): boolean {
    return fs.existsSync(this.path(path));
  }

  /** Replaces a text that must be there. */
  edit(path: string, find: string | RegExp, put: string): void {
    const text = this.read(path);
    const next = text.replace(find, () => put);
    if (next === text) throw new Error(`${path} has no ${String(find)}`);
    this.write(path, next);
  }

  /** A copy of the built-in templates, with edits; `--templates newer` uses it. */
  newer(edits: Readonly<Record<string, (text: string) => string>>, folder = "newer"): string {
    const dir = join(this.cwd, folder);
    if (!fs.existsSync(dir)) fs.copySync(TEMPLATES, dir);
    for (const [path, edit] of Object.entries(edits)) {
      const text = fs.readFileSync(join(dir, path), "utf8");
      const next = edit(text);
      if (next === text) throw new Error(`the edit of ${path} changes nothing`);
      fs.writeFileSync(join(dir, path), next);
    }
    return folder;
  }
}

/** Everything that can be seen of a tree without reading it: a write, a rename or a new entry changes it. */
export function stamps(dir: string): Record<string, string> {
  const found: Record<string, string> = {};
  const stamp = (path: string): string => {
    const { ino, mtimeNs, ctimeNs, size, mode } = fs.lstatSync(path, { bigint: true });
    return [ino, mtimeNs, ctimeNs, size, mode].join(" ");
  };
  found["."] = stamp(dir);
  for (const entry of fs.readdirSync(dir, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    found[path.slice(dir.length + 1)] = stamp(path);
  }
  return found;
}
