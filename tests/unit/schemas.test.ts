import fs from "fs-extra";
import { join } from "node:path";
import { expect, it } from "vitest";

import { schemaFiles } from "../../scripts/schemas.ts";
import { PROJECT } from "../helpers/project.ts";

it("schema/ is what the zod schemas say (npm run schemas writes it)", () => {
  const folder = join(PROJECT, "schema");
  const found = fs.readdirSync(folder).map((name) => [name, fs.readFileSync(join(folder, name), "utf8")] as const);
  expect(new Map(found)).toEqual(new Map([...schemaFiles()].toSorted(([a], [b]) => (a < b ? -1 : 1))));
});
