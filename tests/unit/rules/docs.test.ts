import { expect, it } from "vitest";

import { ruleDocs } from "../../../scripts/rule-docs.ts";

it("docs/validation.md lists the rules and probes as they are (npm run schemas writes it)", async () => {
  const { found, wanted } = await ruleDocs();
  expect(found).toBe(wanted);
});
