import { usageError } from "../lib/errors.ts";
import { INCOMING_ENDING } from "../plan/state.ts";
import type { Decision } from "../plan/update.ts";

/** What was chosen for files in conflict: for all of them, or one by one. */
export class Decisions {
  #all: Decision | undefined;
  readonly #byPath = new Map<string, Decision>();

  /**
   * @param chosen paths by side; "" means all files
   * @throws UserError exit 2 when both sides are chosen for one file
   */
  static from(chosen: Readonly<Record<Decision, readonly string[]>>): Decisions {
    const decisions = new Decisions();
    for (const side of ["ours", "theirs"] as const) {
      for (const path of chosen[side]) {
        if (path === "") decisions.#setAll(side);
        else decisions.set(path, side);
      }
    }
    return decisions;
  }

  #setAll(decision: Decision): void {
    if (this.#all !== undefined && this.#all !== decision)
      throw usageError(
        "--ours and --theirs are both given for all files",
        "give one of them, or name the files: --ours=README.md",
      );
    this.#all = decision;
  }

  /** @param path inside a framework's directory, or with its folder in front */
  set(path: string, decision: Decision): void {
    const name = path.replace(/^\.\//, "").replace(new RegExp(`\\${INCOMING_ENDING}$`), "");
    if (this.#byPath.has(name) && this.#byPath.get(name) !== decision)
      throw usageError(`--ours and --theirs are both given for ${name}`, "give one of them");
    this.#byPath.set(name, decision);
  }

  get isEmpty(): boolean {
    return this.#all === undefined && this.#byPath.size === 0;
  }

  get hasPaths(): boolean {
    return this.#byPath.size > 0;
  }

  of(folder: string, path: string): Decision | undefined {
    return this.#byPath.get(`${folder}/${path}`) ?? this.#byPath.get(path) ?? this.#all;
  }

  /**
   * @param conflicts as `folder/path`
   * @throws UserError exit 2 for a path that is in no conflict
   */
  requireKnown(conflicts: readonly string[], shown: string): void {
    for (const path of this.#byPath.keys()) {
      if (conflicts.some((known) => known === path || known.slice(known.indexOf("/") + 1) === path)) continue;
      throw usageError(
        `${path} has no conflict`,
        conflicts.length === 0 ? `there is no conflict in ${shown}` : `in conflict: ${conflicts.join(", ")}`,
        [],
        "no-conflict",
      );
    }
  }
}
