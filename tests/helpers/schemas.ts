import { Ajv2020 } from "ajv/dist/2020.js";
import fs from "fs-extra";
import { join } from "node:path";
import { expect } from "vitest";

import { PROJECT } from "./project.ts";

/** Parses one --json document and holds it against its published schema. */
export function document(text: string, name: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  const schema = fs.readJsonSync(join(PROJECT, "schema", `${name}.schema.json`)) as object;
  const validate = new Ajv2020({ strict: false, allErrors: true }).compile(schema);
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
  return value as Record<string, unknown>;
}
