import { lstatSync } from "node:fs";
import { join } from "node:path";

import { EXIT, UserError } from "../errors.ts";
import type { Root } from "./root.ts";

/** @throws UserError exit 2 when the name is in use, by a framework or by something that is not ours */
export function refuseTaken(name: string, root: Root, shown: string): void {
  const target = join(root.dir, name);
  if (root.frameworks.some((framework) => framework.dir === target || framework.name === name)) {
    throw new UserError(`${shown}/${name} exists already`, {
      code: "exists",
      exit: EXIT.usage,
      hint: "choose another name; to change an existing framework, edit its framework.yaml",
    });
  }
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) {
    throw new UserError(`${shown}/${name} exists and is not a framework made by this program; it is left alone`, {
      code: "exists",
      exit: EXIT.usage,
      hint: "choose another name, or move it away",
    });
  }
}
