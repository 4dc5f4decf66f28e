import { describe, expect, it } from "vitest";

import { imageSettler } from "../../../src/compose/newer-image.ts";
import { mergeFile } from "../../../src/merge/merge.ts";
import { botPairs } from "../../corpus/bot-pairs.ts";
import { judge } from "../../corpus/oracle.ts";
import { isFull } from "../../helpers/arbitrary.ts";
import { builtIn } from "../../helpers/catalogue.ts";

// crewai has every service that the others have.
const PRESETS = !isFull ? ["crewai"] : ["crewai", "dspy", "google-adk", "pocketflow", "pydantic-ai"];

describe("what an update bot does to a compose file", () => {
  it.each(PRESETS)("meets the next templates as docs/updating.md says: %s", { timeout: 120_000 }, async (preset) => {
    const { services } = await builtIn();
    const settle = imageSettler([...services.values()].flatMap(({ containers }) => containers));
    const pairs = botPairs(preset);
    const verdicts = pairs.map((pair) => {
      const outcome = mergeFile(pair.file, pair.ours, pair.base, pair.theirs, undefined, settle);
      return `${judge(pair, "text" in outcome ? outcome.text : undefined)}: ${pair.ids}`;
    });
    expect(verdicts.filter((verdict) => !/^(?:right|conflict):/.test(verdict))).toEqual([]);
    // Of each kind of bump there are some, and of both outcomes.
    expect(pairs.length).toBeGreaterThanOrEqual(16 * 2);
    expect(new Set(verdicts.map((verdict) => verdict.slice(0, verdict.indexOf(":"))))).toEqual(
      new Set(["right", "conflict"]),
    );
  });
});
