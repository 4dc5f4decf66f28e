import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";

import { quotedForShell } from "../../../src/lib/shell.ts";
import { visible } from "../../../src/lib/visible.ts";

describe("a word in a command to paste", () => {
  it.each([
    "plain/path-1.x",
    "",
    "a b",
    "it's",
    "$(touch x); `y` \\",
    "a\u001B]0;t\u0007'\\b",
    "tab\there",
    "two\nlines",
    "\u202Eé",
  ])("%j means itself to Bash, and shows no control character", (word) => {
    const quoted = quotedForShell(word);
    expect(visible(quoted)).toBe(quoted);
    const env = { ...process.env, LC_ALL: "C.UTF-8" };
    expect(execFileSync("bash", ["-c", `printf %s ${quoted}`], { encoding: "utf8", env })).toBe(word);
  });
});
