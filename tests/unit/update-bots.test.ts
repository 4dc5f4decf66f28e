import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";

import { builtIn } from "../helpers/catalogue.ts";
import { PROJECT } from "../helpers/project.ts";

const text = readFileSync(join(PROJECT, "docs/updating.md"), "utf8");
const block = (language: string): string => new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? "";

interface Rule {
  matchPackageNames: string[];
  matchUpdateTypes?: string[];
  enabled?: boolean;
  separateMultipleMinor?: boolean;
}

it("keeps update bots within the limits of the manifests, by the rules in docs/updating.md", async () => {
  const { services } = await builtIn();
  const { packageRules } = JSON.parse(block("json")) as { packageRules: Rule[] };
  const { updates } = parse(block("yaml")) as { updates: { ignore: { "dependency-name": string }[] }[] };
  const ignored = updates.flatMap(({ ignore }) => ignore.map((each) => each["dependency-name"]));
  const limited = [...services.values()]
    .flatMap(({ containers }) => containers)
    .filter(({ upgrade, image }) => upgrade?.limit !== undefined && image !== undefined);
  expect(limited.length).toBeGreaterThan(1);
  const names = limited.map(({ image }) => image?.pinned.replace(/:.*$/, "") ?? "");
  for (const [index, { upgrade }] of limited.entries()) {
    const name = names[index] ?? "";
    const rules = packageRules.filter(({ matchPackageNames }) => matchPackageNames.includes(name));
    // Another major version is beyond either limit.
    expect(rules, name).toContainEqual(expect.objectContaining({ matchUpdateTypes: ["major"], enabled: false }));
    if (upgrade?.limit === "one-minor")
      expect(rules, name).toContainEqual(expect.objectContaining({ separateMultipleMinor: true }));
    expect(ignored).toContain(name);
  }
  for (const { matchPackageNames } of packageRules) for (const name of matchPackageNames) expect(names).toContain(name);
});
