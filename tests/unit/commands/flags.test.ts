import { describe, expect, it } from "vitest";

import {
  COMMON_FLAGS,
  nearest,
  NEW_FRAMEWORK_FLAGS,
  parseFlags,
  swallowedFlags,
  WRITING_FLAGS,
} from "../../../src/commands/flags.ts";

const FLAGS = { ...COMMON_FLAGS, ...WRITING_FLAGS, ...NEW_FRAMEWORK_FLAGS };

describe("parseFlags", () => {
  it("reads values, switches, repeats and positionals", () => {
    expect(parseFlags(["crewai", "--port", "a=1", "--port=b=2", "-y", "--root=x"], FLAGS)).toEqual({
      values: { port: ["a=1", "b=2"], yes: true, root: "x" },
      positionals: ["crewai"],
    });
  });

  it.each([
    [["--nmae", "x"], "unknown flag --nmae", "did you mean --name?"],
    [["--zzzzzzzz"], "unknown flag --zzzzzzzz", "see --help"],
    [["-q"], "unknown flag -q", "see --help"],
    [["--name"], "--name needs a value", "see --help"],
    [["--name", "--yes"], "--name needs a value", "see --help"],
  ])("explains %j", (args, message, hint) => {
    expect(() => parseFlags(args, FLAGS)).toThrow(expect.objectContaining({ message, hint, exit: 2 }));
  });

  it("explains a switch that got a value", () => {
    expect(() => parseFlags(["--yes=no"], FLAGS)).toThrow(expect.objectContaining({ exit: 2 }));
  });
});

describe("swallowedFlags", () => {
  const npm = { npm_lifecycle_event: "new-framework" };

  it.each<[NodeJS.ProcessEnv, string[], string[]]>([
    [{ ...npm, npm_config_name: "x" }, [], ["name"]],
    [{ ...npm, npm_config_dry_run: "true" }, ["crewai"], ["dry-run"]],
    [{ ...npm, npm_config_name: "x" }, ["--name", "x"], []],
    [{ ...npm, npm_config_name: "x" }, ["--name=x"], []],
    [{ ...npm, npm_config_json: "false" }, [], []],
    [{ ...npm, npm_config_yes: "true" }, [], []],
    [{ npm_config_name: "x" }, [], []],
    [npm, [], []],
  ])("%j with %j", (env, args, expected) => {
    expect(swallowedFlags(env, args, FLAGS)).toEqual(expected);
  });
});

describe("nearest", () => {
  it.each([
    ["add-servise", "add-service"],
    ["port", "ports"],
    ["xyz", undefined],
  ])("%s -> %s", (word, expected) => {
    expect(nearest(word, ["add-service", "ports", "new-framework"])).toBe(expected);
  });
});
