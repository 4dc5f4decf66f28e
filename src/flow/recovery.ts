import type { Recovered } from "../apply/recover.ts";
import { isUnfinished } from "../store/journal.ts";

/**
 * What is to be said of a change that a killed command had begun.
 * @param recovered what was done about it; undefined where nothing may be done
 */
export function recoveryNotes(root: string, recovered?: Recovered): string[] {
  if (recovered === undefined) {
    return isUnfinished(root)
      ? ["warning: a change was interrupted; the next command that writes finishes or undoes it"]
      : [];
  }
  const { outcome, frameworks, edited } = recovered;
  const about = frameworks.length === 0 ? "" : `${frameworks.join(", ")}: `;
  const end = outcome === "finished" ? "has been finished" : "before it took effect has been undone";
  return [
    `${about}a change that was interrupted ${end}`,
    ...edited.map(({ path, beside }) =>
      beside
        ? `warning: ${path} was edited since; the text that was meant for it is in ${path}.incoming`
        : `warning: ${path} was edited since, and stays as it is; npm run regenerate brings it up to date`,
    ),
  ];
}
