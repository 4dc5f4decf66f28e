import { expect, it } from "vitest";
import { parse } from "yaml";

import { setPorts } from "../../../src/spec/edit.ts";

const TEXT = `# mine
name: x   # keep
services:
  qdrant:
    port: 6333 # why
    requested: true
  postgres: {port: 5432}
`;

it("replaces a port at its place and keeps every other byte", () => {
  expect(setPorts(TEXT, new Map([["qdrant", 7000]]))).toBe(TEXT.replace("6333", "7000"));
  expect(setPorts(TEXT, new Map([["postgres", 7001]]))).toBe(TEXT.replace("5432", "7001"));
});

it("adds one that is missing and keeps the comments", () => {
  const text = setPorts("services:\n  # mine\n  qdrant:\n    requested: true\n", new Map([["qdrant", 7000]]));
  expect(text).toContain("# mine");
  expect(parse(text)).toEqual({ services: { qdrant: { requested: true, port: 7000 } } });
});

it("changes nothing when the port is the same", () => {
  expect(setPorts(TEXT, new Map([["qdrant", 6333]]))).toBe(TEXT);
});
