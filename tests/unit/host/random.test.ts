import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { fromDevice, randomBytes } from "../../../src/host/random.ts";
import { tempDir } from "../../helpers/temp.ts";

describe("random bytes", () => {
  it("are as many as asked for, and never the same", () => {
    const made = Array.from({ length: 100 }, () => randomBytes(32).toString("hex"));
    expect(new Set(made).size).toBe(100);
    expect(made.every((text) => /^[0-9a-f]{64}$/.test(text))).toBe(true);
  });

  it("use every value of a byte", () => {
    expect(new Set(randomBytes(100_000)).size).toBe(256);
  });

  it.runIf(process.platform === "linux")(
    "come from the kernel's device and from nothing that stands in its place",
    () => {
      expect(fromDevice("/dev/random", 32)).toHaveLength(32);
      expect(fromDevice("/dev/zero", 32)).toBeUndefined();
      const pipe = join(tempDir(), "pipe");
      execFileSync("mkfifo", [pipe]);
      expect(fromDevice(pipe, 32)).toBeUndefined();
      expect(fromDevice("/etc/passwd", 8)).toBeUndefined();
      expect(fromDevice("/nowhere", 32)).toBeUndefined();
    },
  );
});
