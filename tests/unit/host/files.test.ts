import fs from "fs-extra";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { readContent, textOf } from "../../../src/host/files.ts";
import { tempDir } from "../../helpers/temp.ts";

describe("readContent", () => {
  const MIB = 1024 * 1024;

  it.each([0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 512 * 1024, MIB + 7, 2 * MIB])(
    "reads %d bytes whole",
    (size) => {
      const path = join(tempDir(), "file");
      const text = "0123456789abcdef".repeat(size / 16 + 1).slice(0, size);
      fs.writeFileSync(path, text);
      expect(readContent(path, "refused").text === text).toBe(true);
      expect(readContent(path, "refused").bytes).toBeUndefined();
    },
  );

  it("keeps the bytes of what is not UTF-8, and knows a replacement character that was written", () => {
    const path = join(tempDir(), "file");
    fs.writeFileSync(path, Buffer.from("caf\xE9", "latin1"));
    expect(readContent(path, "refused").bytes).toEqual(Buffer.from("caf\xE9", "latin1"));
    fs.writeFileSync(path, "caf\uFFFD");
    expect(readContent(path, "refused")).toEqual({ text: "caf\uFFFD", bytes: undefined });
  });

  it.each<[string, (path: string) => void, string]>([
    ["more than 2 MiB", (path) => fs.writeFileSync(path, "x".repeat(2 * MIB + 1)), "EFBIG"],
    ["a device without an end", (path) => fs.symlinkSync("/dev/zero", path), "EPIPE"],
    ["an empty device", (path) => fs.symlinkSync("/dev/null", path), "EPIPE"],
    ["a pipe that nobody writes into", (path) => execFileSync("mkfifo", [path]), "EPIPE"],
    ["a directory", (path) => fs.mkdirSync(path), "EISDIR"],
    ["a link to itself", (path) => fs.symlinkSync("file", path), "ELOOP"],
  ])("refuses %s at once", (_, lay, code) => {
    const path = join(tempDir(), "file");
    lay(path);
    expect(() => readContent(path, "followed")).toThrow(expect.objectContaining({ code }));
  });

  it("follows a link only where that is wanted, and says how to do without", () => {
    const dir = tempDir();
    fs.writeFileSync(join(dir, "target"), "text");
    fs.symlinkSync("target", join(dir, "link"));
    expect(textOf(join(dir, "link"), "x", "followed")).toBe("text");
    expect(() => textOf(join(dir, "link"), "x", "refused")).toThrow(
      expect.objectContaining({
        message: "x cannot be read: it is a link",
        hint: "replace the link with a file of its own",
      }),
    );
  });
});
