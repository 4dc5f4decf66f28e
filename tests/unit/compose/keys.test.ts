import fs from "fs-extra";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

import { unknownIn } from "../../../src/compose/keys.ts";
import { composeModel, type Compose } from "../../../src/compose/model.ts";

const model = (services: Record<string, unknown>): Compose => {
  const compose = composeModel({ services });
  if (compose === undefined) throw new Error("not a Compose file");
  return compose;
};

describe("names and keys that Compose does not know", () => {
  it("knows every key of the Compose specification, as dclint carries it", () => {
    const dclint = dirname(createRequire(import.meta.url).resolve("dclint/package.json"));
    const schema = fs.readJsonSync(join(dclint, "schemas/compose.schema.json")) as {
      definitions: { service: { properties: Record<string, unknown> } };
    };
    const keys = Object.keys(schema.definitions.service.properties);
    expect(keys.length).toBeGreaterThan(80);
    expect(unknownIn(model({ a: Object.fromEntries(keys.map((key) => [key, null])) }))).toEqual([]);
  });

  it("says which key, and which one may be meant", () => {
    expect(unknownIn(model({ a: { prots: [], nonsense: 1, "x-mine": 2 }, "b c": {} }))).toEqual([
      { service: "a", message: "has the key prots, which is not in the Compose specification; did you mean ports?" },
      { service: "a", message: "has the key nonsense, which is not in the Compose specification" },
      { service: "b c", message: "has an invalid name: use only letters, digits and ._-" },
    ]);
  });
});
