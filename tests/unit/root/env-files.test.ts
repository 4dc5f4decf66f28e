import { execFileSync } from "node:child_process";
import fs from "fs-extra";
import { join } from "node:path";
import { expect, it } from "vitest";

import { stackOf } from "../../../src/compose/stack.ts";
import { readEnvFiles } from "../../../src/root/env-files.ts";
import { tempDir } from "../../helpers/temp.ts";

it("reads the files of env_file in the stack's directory, and says what is wrong with others", () => {
  const root = tempDir();
  const dir = join(root, "crewai");
  fs.outputFileSync(join(dir, ".env"), "A=1\n");
  fs.outputFileSync(join(dir, "config/app.env"), "TOKEN=x\n");
  fs.outputFileSync(join(root, "shared.env"), "OTHER=x\n");
  fs.mkdirSync(join(dir, "folder"));
  execFileSync("git", ["init", "-q", root]);
  fs.outputFileSync(join(dir, "a[1].env"), "TOKEN=y\n");
  fs.symlinkSync(".env", join(dir, "same.env"));
  fs.symlinkSync("../shared.env", join(dir, "out.env"));
  execFileSync("git", ["-C", root, "add", "crewai/config/app.env", "crewai/a[[]1].env"]);
  const text = `
services:
  a: { image: x, env_file: .env }
  b: { image: x, env_file: [./config/app.env, { path: gone.env, required: false }, ../shared.env, folder] }
  c: { image: x, env_file: [{ path: config/app.env, format: raw }, ../nowhere.env, { required: true }, 7] }
  d: { image: x }
  e: { image: x, profiles: [on], env_file: ["${dir}/a[1].env", ../crewai/config/app.env, same.env, out.env, "a\\0b"] }
  f: { image: x, profiles: [off], env_file: gone.env }
  g: { image: x, env_file: ~/no-such-file-of-anybody.env }
`;
  const { compose } = stackOf([{ file: "compose.yaml", text }], () => undefined, dir);
  const found = readEnvFiles(compose, new Set(["on"]), dir, "frameworks/crewai").map((each) => [
    each.service,
    each.file,
    each.required,
    each.isOwnEnv,
    each.text,
    each.problem,
    each.isTracked,
  ]);
  expect(found).toEqual([
    ["a", "frameworks/crewai/.env", true, true, "A=1\n", undefined, false],
    ["b", "frameworks/crewai/config/app.env", true, false, "TOKEN=x\n", undefined, true],
    ["b", "frameworks/crewai/gone.env", false, false, undefined, "missing", false],
    ["b", "frameworks/shared.env", true, false, undefined, undefined, false],
    ["b", "frameworks/crewai/folder", true, false, undefined, "unreadable", false],
    ["c", "frameworks/crewai/config/app.env", true, false, "TOKEN=x\n", undefined, true],
    ["c", "frameworks/nowhere.env", true, false, undefined, "missing", false],
    ["e", "frameworks/crewai/a[1].env", true, false, "TOKEN=y\n", undefined, true],
    ["e", "frameworks/crewai/config/app.env", true, false, "TOKEN=x\n", undefined, true],
    ["e", "frameworks/crewai/.env", true, true, "A=1\n", undefined, false],
    ["e", "frameworks/crewai/out.env", true, false, undefined, undefined, false],
    ["e", "frameworks/crewai/a\0b", true, false, undefined, "unreadable", false],
    ["g", "~/no-such-file-of-anybody.env", true, false, undefined, "missing", false],
  ]);
});

it("asks nobody where no service has one", () => {
  const { compose } = stackOf([{ file: "c", text: "services: { a: { image: x } }" }], () => undefined, "/nowhere");
  expect(readEnvFiles(compose, new Set(), "/nowhere", "x")).toEqual([]);
});
