import { describe, expect, it } from "vitest";

import { nameProblem, suggestName, underscored } from "../../../src/catalogue/names.ts";

describe("nameProblem", () => {
  it.each(["crewai", "google-adk", "a", "a1", "my-agents-2", "x".repeat(40)])("accepts %s", (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });

  it.each([
    ["", "a name is needed"],
    ["x".repeat(41), "too long"],
    ["../x", "not a framework name"],
    ["Crew", "not a framework name"],
    ["1crew", "not a framework name"],
    ["-crew", "not a framework name"],
    ["crew-", "not a framework name"],
    ["a--b", "not a framework name"],
    ["a_b", "not a framework name"],
    ["naïve", "not a framework name"],
    ["a; rm -rf", "not a framework name"],
    ["{{x}}", "not a framework name"],
    ["$HOME", "not a framework name"],
    ["a b", "not a framework name"],
    ["crew\n", "not a framework name"],
    ["con", "device name"],
    ["lpt1", "device name"],
  ])("refuses %j: %s", (name, message) => {
    expect(nameProblem(name)).toContain(message);
  });

  it("refuses what a service keeps for itself", () => {
    expect(nameProblem("postgres", [/^(?:postgres)$/])).toContain("reserved");
    expect(nameProblem("postgresql", [/^(?:postgres)$/])).toBeUndefined();
  });

  it("echoes no control characters and no endless text", () => {
    const problem = nameProblem(`a\u001B[31m${"b".repeat(500)}`);
    expect(problem).not.toContain("\u001B");
    expect(problem?.length).toBeLessThan(200);
  });
});

describe("suggestName", () => {
  it.each([
    ["Pydantic AI", "pydantic-ai"],
    ["../x", "x"],
    ["Écrivain", "ecrivain"],
    ["42 agents", "agents"],
    ["x".repeat(60), "x".repeat(40)],
  ])("makes %j into %s", (typed, name) => {
    expect(suggestName(typed)).toBe(name);
  });

  it.each(["", "---", "con", "日本"])("has nothing for %j", (typed) => {
    expect(suggestName(typed)).toBeUndefined();
  });
});

it("makes a name fit for SQL and containers", () => {
  expect(underscored("google-adk-2")).toBe("google_adk_2");
});
