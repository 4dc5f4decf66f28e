import { lstatSync } from "node:fs";
import { join } from "node:path";

import { EXIT, UserError } from "../lib/errors.ts";
import { dotenvValues } from "../env/dotenv.ts";
import { underscored } from "../catalogue/names.ts";
import { textOf } from "../host/files.ts";
import { effectiveName } from "./framework.ts";
import type { Root } from "./root.ts";

/**
 * @returns whether a directory of that name holds what `remove-framework` leaves: `.env`, whose secrets open the
 *   volumes, and perhaps files of the user
 * @throws UserError exit 2 when the name is in use, by a framework or by something that is not ours
 */
export function refuseTaken(name: string, root: Root): boolean {
  const { shown } = root;
  const target = join(root.dir, name);
  const holder = root.frameworks.find(
    (framework) =>
      framework.dir === target || effectiveName(framework) === underscored(name) || framework.name === name,
  );
  if (holder !== undefined) {
    const message =
      holder.dir === target
        ? `${shown}/${name} exists already`
        : `the name ${name} is taken: ${shown}/${holder.folder} has it, and with it containers and volumes of that name`;
    throw new UserError(message, { code: "exists", exit: EXIT.usage, hint: "choose another name" });
  }
  const found = lstatSync(target, { throwIfNoEntry: false });
  if (found?.isDirectory() === true && leftEnv(target, name)) return true;
  if (found !== undefined) {
    throw new UserError(`${shown}/${name} exists and is not a framework made by this program; it is left alone`, {
      code: "exists",
      exit: EXIT.usage,
      hint: "choose another name, or move it away",
    });
  }
  return false;
}

function leftEnv(dir: string, name: string): boolean {
  const text = textOf(join(dir, ".env"), `${name}/.env`);
  return text !== undefined && dotenvValues(text).get("FRAMEWORK_NAME") === underscored(name);
}
