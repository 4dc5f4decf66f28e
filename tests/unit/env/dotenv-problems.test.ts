import { describe, expect, it } from "vitest";

import { dotenvProblems } from "../../../src/env/dotenv-problems.ts";
import { READABLE, REFUSED } from "../../helpers/dotenv-cases.ts";

describe("what Compose refuses in .env", () => {
  it.each(REFUSED)("%j is refused", (text) => {
    expect(dotenvProblems(`OK=1\n${text}\nOTHER=x\n`)).not.toEqual([]);
  });

  it.each(READABLE)("%j is not", (text) => {
    expect(dotenvProblems(`OK=1\n${text}\nOTHER=x\n`)).toEqual([]);
  });

  it("names every line, counted over values of several lines, and shows nothing of it", () => {
    const text = "A='x\ny'\n# c\r\n<<<<<<< HEAD\n\nB=1\n=======\nB=hunter2 ${\nC D=hunter2\nE=\"hunter2\nF=1\n";
    const found = dotenvProblems(text);
    expect(found.map(({ line }) => line)).toEqual([4, 7, 8, 9, 10]);
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });
});
