import { describe, expect, it } from "vitest";

import { parseFlags, peek } from "../../../src/cli/flags.ts";
import { swallowedFlags } from "../../../src/cli/npm.ts";
import { COMMANDS } from "../../../src/cli/table.ts";
import { nearest } from "../../../src/lib/nearest.ts";
import { builtIn } from "../../helpers/catalogue.ts";

const catalogue = await builtIn();
const FLAGS = COMMANDS["new-framework"].flags(catalogue);

describe("parseFlags", () => {
  it("reads values, switches, repeats and positionals", () => {
    const flags = parseFlags(["crewai", "--port", "a=1", "--port=b=2", "-y", "--root=x"], FLAGS);
    expect([flags.list("port"), flags.isSet("yes"), flags.text("root"), flags.text("name")]).toEqual([
      ["a=1", "b=2"],
      true,
      "x",
      undefined,
    ]);
    expect(flags.positionals).toEqual(["crewai"]);
  });

  it("has two flags for each service that can be used from outside, and lets a value be left out where it may", () => {
    expect(parseFlags(["--langfuse-host", "http://a"], FLAGS).text("langfuse-host")).toBe("http://a");
    const regenerate = COMMANDS.regenerate.flags();
    expect(parseFlags(["--ours", "--theirs=README.md"], regenerate).list("ours")).toEqual([""]);
    expect(() => parseFlags(["--langfuse", "external"], regenerate)).toThrow("unknown flag --langfuse");
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

describe("peek", () => {
  it.each([
    [["--templates", "a"], "a"],
    [["x", "--templates=b", "--yes"], "b"],
    [["--", "--templates", "a"], undefined],
    [["--templates"], undefined],
    [[], undefined],
  ])("%j -> %j", (args, expected) => {
    expect(peek(args, "templates")).toBe(expected);
  });
});
