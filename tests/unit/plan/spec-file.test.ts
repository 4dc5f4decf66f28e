import { describe, expect, it } from "vitest";

import { parseYaml } from "../../../src/lib/yaml.ts";
import { editSpecFile } from "../../../src/plan/spec-file.ts";
import { schemasFor, type Spec } from "../../../src/spec/schema.ts";
import { builtIn, treeOf } from "../../helpers/catalogue.ts";

const FILE = "framework.yaml";
const ADDED: Spec["waivers"] = [
  { rule: "restart", service: "app", reason: "a batch job (2026); it ends" },
  { rule: "limits", service: "app", reason: "a batch job" },
];

/** A framework.yaml with something else in the place of `waivers: []`, edited; and what was meant. */
async function edited(
  waivers: string,
  change: (spec: Spec) => Spec = (spec) => ({ ...spec, waivers: [...spec.waivers, ...ADDED] }),
): Promise<{ before: string; after: string }> {
  const catalogue = await builtIn();
  const generated = (await treeOf({ name: "crewai" })).get(FILE)?.content ?? "";
  const before = generated.replace("waivers: []\n", waivers);
  const { spec: schema } = schemasFor(catalogue);
  const spec = parseYaml(before, FILE, schema);
  const wanted = change(spec);
  const after = editSpecFile(before, FILE, spec, wanted, catalogue);
  expect(parseYaml(after, FILE, schema)).toEqual(wanted);
  return { before, after };
}

const commentsOf = (text: string): string[] => (text.match(/#.*/g) ?? []).toSorted();

describe("an edit of framework.yaml by a program", () => {
  it.each([
    "waivers: []\n",
    "waivers: [] # none\n",
    "waivers:\n  # none yet\n  []\n",
    "waivers: [ # none yet\n]\n",
    'waivers: [\n  {rule: restart, service: web, reason: "x"}, # why a\n]\n',
    'waivers: [{rule: restart, service: web, reason: "x"}] # why a\n',
    "waivers:\n  # above\n  - rule: restart # why a\n    service: web\n    reason: x\n",
    "# no waivers at all\n",
    "waivers: []",
  ])("adds to %j and keeps every comment", async (waivers) => {
    const { before, after } = await edited(waivers);
    expect(commentsOf(after)).toEqual(commentsOf(before));
  });

  it.each(["waivers: []\n", "waivers: [] # none\n"])("writes each item of %j on lines of its own", async (waivers) => {
    expect((await edited(waivers)).after).toContain("\n  - rule: limits\n    service: app\n");
  });

  it("changes nothing else", async () => {
    const { before, after } = await edited("waivers: []\n");
    expect(after.startsWith(before.slice(0, before.indexOf("waivers:")))).toBe(true);
  });

  it("says that it cannot, rather than to lose a comment", async () => {
    const change = (spec: Spec): Spec => ({ ...spec, waivers: ADDED });
    await expect(
      edited('waivers: [\n  {rule: restart, service: web, reason: "x"}, # why a\n]\n', change),
    ).rejects.toMatchObject({ exit: 1, message: expect.stringContaining("cannot be edited by a program") });
  });
});
