import { expect, it } from "vitest";

import { ruleDocs } from "../../../scripts/rule-docs.ts";

it("docs/validation.md lists the rules as they are (npm run schemas writes it)", () => {
  const { found, wanted } = ruleDocs();
  expect(found).toBe(wanted);
});
