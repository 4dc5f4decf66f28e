import { describe, expect, it } from "vitest";

import { statusOf, type FileState } from "../../../src/plan/status.ts";
import { diskOf, textTree } from "../../helpers/disk.ts";

describe("statusOf", () => {
  it.each<[string | undefined, string | undefined, string | undefined, FileState | "-", boolean]>([
    // base, disk, next
    ["a\n", "a\n", "a\n", "clean", false],
    ["a\n", "a\n", "b\n", "outdated", true],
    ["a\n", "x\n", "a\n", "edited", false],
    ["a\n", "x\n", "b\n", "edited", true],
    ["a\n", "b\n", "b\n", "clean", true],
    ["a\n", undefined, "a\n", "missing", false],
    ["a\n", undefined, "b\n", "missing", true],
    [undefined, undefined, "a\n", "missing", true],
    [undefined, "x\n", "a\n", "edited", true],
    ["a\n", "a\n", undefined, "outdated", true],
    ["a\n", "x\n", undefined, "edited", true],
    ["a\n", undefined, undefined, "-", true],
    ["a\nb\n", "a\r\nb\r\n", "a\nb\n", "clean", false],
  ])("base %j, disk %j, next %j: %s, outdated %s", (base, disk, next, state, outdated) => {
    const status = statusOf(diskOf({ f: disk }, { f: base }), textTree({ f: next }));
    expect([status.files[0]?.state ?? "-", status.outdated, status.conflicts]).toEqual([state, outdated, []]);
  });

  it("takes an .incoming for an open conflict, whatever else is true", () => {
    const status = statusOf(diskOf({ f: "a\n", "f.incoming": "b\n" }, { f: "a\n" }), textTree({ f: "a\n" }));
    expect([status.files, status.conflicts]).toEqual([[{ path: "f", state: "conflicted" }], ["f"]]);
  });
});
