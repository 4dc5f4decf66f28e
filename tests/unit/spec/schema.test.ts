import { describe, expect, it } from "vitest";

import { hostUrlProblem, schemasFor } from "../../../src/spec/schema.ts";
import { builtIn } from "../../helpers/catalogue.ts";

const { draft: draftSchema, spec: specSchema } = schemasFor(await builtIn());

describe("hostUrlProblem", () => {
  it.each(["http://localhost:3000", "https://langfuse.example/base?x=1", "http://[::1]:3000"])("accepts %s", (url) => {
    expect(hostUrlProblem(url)).toBeUndefined();
  });

  it.each([
    "",
    "localhost:3000",
    "ftp://a",
    "javascript:alert(1)",
    "http://a b",
    "http://a$HOME",
    "http://a#b",
    "http://a'b",
    'http://a"b',
    "http://user:pass@a",
    "http://a\nB=1",
    "http://:99999",
  ])("refuses %j", (url) => {
    expect(hostUrlProblem(url)).toBeDefined();
  });
});

describe("descriptions", () => {
  it.each(["two\nlines", "a\u001B[31m", "zero\u200Bwidth", "x".repeat(201), "line\u2028separator", "half \uD83D"])(
    "refuses %j",
    (text) => {
      expect(draftSchema.safeParse({ description: text }).success).toBe(false);
    },
  );

  it.each(["", "plain", "{{x}} $HOME `ls` <b> ' \" # : - | é 日本 🚀"])("accepts %j", (text) => {
    expect(draftSchema.safeParse({ description: text }).success).toBe(true);
  });
});

it("refuses a framework.yaml whose name is no name", () => {
  const spec = { schemaVersion: 1, name: "../x", preset: "custom", description: "", services: {} };
  expect(specSchema.safeParse(spec).success).toBe(false);
  expect(specSchema.safeParse({ ...spec, name: "x" }).success).toBe(true);
});

it.each([0, -1, 65_536, 1.5, "6333", "1e3", null])("refuses port %j", (port) => {
  expect(draftSchema.safeParse({ services: { qdrant: { port } } }).success).toBe(false);
});
