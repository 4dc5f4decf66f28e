import { describe, expect, it } from "vitest";

import { shownSafely } from "../../../generators/ask.ts";

describe("a question", () => {
  it("shows control characters of a name as escapes, in its text and in the refusal of an answer", async () => {
    const question = shownSafely({
      type: "input",
      message: "a\u001B[2J",
      validate: (answer) => (answer === "good" ? true : "held by b\u009B1m\n"),
    });
    expect(question.message).toBe(String.raw`a\u001b[2J`);
    expect(await question.validate?.("bad")).toBe(String.raw`held by b\u009b1m\u000a`);
    expect(await question.validate?.("good")).toBe(true);
  });
});
