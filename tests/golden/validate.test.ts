import { describe, expect, it } from "vitest";

import { stackOf } from "../../src/compose/stack.ts";
import { dotenvValues } from "../../src/env/dotenv.ts";
import { envSections } from "../../src/env/variables.ts";
import { judge, RULES } from "../../src/rules/judge.ts";
import { exceptionsOf } from "../../src/rules/waivers.ts";
import { builtIn, specOf, treeOf } from "../helpers/catalogue.ts";
import { CASES } from "./cases.ts";

/** What the user's own wish brings with it. */
const WISHES: Record<string, string[]> = { "other-choices": ["pinned-image qdrant"] };

describe.each(Object.keys(CASES))("what is generated for %s", (name) => {
  it("keeps every rule, but for what the catalogue gives a reason for", async () => {
    const draft = CASES[name] ?? {};
    const catalogue = await builtIn();
    const spec = await specOf(draft);
    const tree = await treeOf(draft);
    // The secrets of the golden files say which variable they belong to, which is what makes them weak.
    const text = (tree.get(".env")?.content ?? "").replaceAll(/=((?:[ps]k-lf-)?)([a-z_]+)$/gm, (_, prefix, value) => {
      return `=${String(prefix)}${Buffer.from(String(value)).toString("hex").padEnd(64, "0123456789abcdef").slice(0, 64)}`;
    });
    const env = dotenvValues(text);
    const exceptions = exceptionsOf(spec, catalogue);
    for (const { rule } of exceptions) expect(RULES.map(({ id }) => id)).toContain(rule);
    const variables = envSections(spec, catalogue).flatMap((section) => section.variables);
    const { findings, passed } = judge(
      {
        shown: spec.name,
        spec,
        specText: tree.get("framework.yaml")?.content ?? "",
        exceptions,
        stack: stackOf(
          [{ file: "compose.yaml", text: tree.get("compose.yaml")?.content ?? "" }],
          (variable) => env.get(variable),
          "/srv/frameworks/x",
        ),
        env: { mode: 0o600, isTracked: false, problems: [] },
        values: { variables, values: env, names: new Set(), text },
        envFiles: [],
      conflicts: [],
        clashes: [],
        twins: [],
      },
      "2026-11-27",
    );
    const found = findings.filter(({ outcome }) => outcome !== "waived");
    expect(found.map(({ rule, service, key }) => `${rule} ${service ?? key ?? ""}`)).toEqual(WISHES[name] ?? []);
    expect(passed).toBeGreaterThan(40);
  });
});
