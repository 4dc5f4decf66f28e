import { EXIT, UserError } from "../../lib/errors.ts";
import { compareVersions, provenanceOf } from "../../plan/state.ts";
import type { Place } from "../place.ts";

/** What a change means for the record of what made a directory. */
interface Origin {
  notes: readonly string[];
  /** Whether the record stays as it is: most of the directory is still what other templates made of it. */
  stays: boolean;
  /** Whether the user asked to go back to what this program and these templates make: that is recorded in any case. */
  goesBack: boolean;
}

/**
 * What older templates would write over what newer ones made is an edit of nobody's, and would be lost without a word.
 * @param state the text of the directory's state file
 * @param shown the directory as the user knows it
 * @param upgrade whether the change brings all of it to the templates of now, or one service alone
 * @throws UserError exit 1 for one that a newer version made, or templates of somebody's own that are not given now
 */
export function requireNoDowngrade(state: string | undefined, shown: string, upgrade: boolean, place: Place): Origin {
  const made = provenanceOf(state);
  if (made === undefined)
    return {
      notes: ["made by a version that did not record itself; from now on, .scaffold/state.json says what made it"],
      stays: false,
      goesBack: false,
    };
  const now = place.provenance();
  const isForgotten = made.isOwn && !now.isOwn && made.templates !== now.templates;
  const isNewer = compareVersions(made.program, now.program) > 0;
  if (place.mayDowngrade) return { notes: [], stays: false, goesBack: isNewer || isForgotten };
  if (isForgotten && upgrade) {
    throw new UserError(
      `${shown} was made with templates of your own; the built-in ones would take back what yours say`,
      {
        code: "own-templates",
        exit: EXIT.failure,
        hint: "add --templates DIR; or, to go to the built-in templates, --allow-downgrade",
      },
    );
  }
  if (isNewer) {
    throw new UserError(
      `${shown} was made by framework-infra ${made.program}; this is ${now.program}, which would take back what is newer`,
      {
        code: "downgrade",
        exit: EXIT.failure,
        hint: `update framework-infra to ${made.program} or later; or, to go back, --allow-downgrade`,
      },
    );
  }
  return isForgotten
    ? {
        notes: [
          "warning: made with templates of your own; this change is made with the built-in ones, because --templates is not given",
        ],
        stays: true,
        goesBack: false,
      }
    : { notes: [], stays: false, goesBack: false };
}
