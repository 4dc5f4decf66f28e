import fc from "fast-check";
import MarkdownIt from "markdown-it";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { envSections, literalValue } from "../../../src/env/variables.ts";
import { dotenvValues } from "../../../src/env/dotenv.ts";
import { interpolate } from "../../../src/env/interpolate.ts";
import { underscored } from "../../../src/catalogue/names.ts";
import { schemasFor, type Draft } from "../../../src/spec/schema.ts";
import { draft, externalDraft, runs } from "../../helpers/arbitrary.ts";
import { builtIn, plainSecrets, specOf, treeOf } from "../../helpers/catalogue.ts";

const catalogue = await builtIn();
const anyDraft = fc.oneof(draft, externalDraft);

async function holds(
  property: (each: Draft, file: (path: string) => string) => Promise<void> | void,
  sample = 60,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(anyDraft, async (each) => {
      const tree = await treeOf(each);
      await property(each, (path) => tree.get(path)?.content ?? "");
    }),
    runs(sample),
  );
}

describe("whatever people type", () => {
  it("framework.yaml reads back as the spec it was made from", async () => {
    await holds(async (each, file) => {
      expect(schemasFor(catalogue).spec.parse(parse(file("framework.yaml")))).toEqual(await specOf(each));
    });
  });

  it(".env reads back as the values that were meant", async () => {
    await holds(async (each, file) => {
      const spec = await specOf(each);
      const secrets = plainSecrets(spec, catalogue);
      const meant = envSections(spec, catalogue)
        .flatMap((section) => section.variables)
        .filter((variable) => variable.class !== "default")
        .map((variable) => [variable.name, literalValue(variable, secrets)] as const);
      expect(dotenvValues(file(".env"))).toEqual(new Map(meant));
    });
  });

  it("compose.yaml is one stack under the framework's name, and holds no word of a description", async () => {
    await holds((each, file) => {
      const env = dotenvValues(file(".env"));
      const compose = parse(interpolate(file("compose.yaml"), (name) => env.get(name))) as {
        name: string;
        services: Record<string, { container_name: string; logging: object }>;
      };
      expect(compose.name).toBe(underscored(each.name ?? ""));
      for (const [id, service] of Object.entries(compose.services)) {
        expect(service.container_name).toBe(`${compose.name}_${underscored(id)}`);
        expect(service.logging).toEqual({
          driver: each.logging?.driver,
          options: { "max-size": each.logging?.maxSize, "max-file": String(each.logging?.maxFile) },
        });
      }
    });
  });

  it("the README shows a description as the text it is: no markup, no HTML, no link", async () => {
    const markdown = new MarkdownIt({ html: true, linkify: false });
    await holds((each, file) => {
      const tokens = markdown.parse(file("README.md"), {});
      const heading = tokens.findIndex((token) => token.type === "heading_close");
      expect(tokens[heading - 1]?.content).toBe(`${each.name ?? ""}: infrastructure`);
      const text = (each.description ?? "").trim().replaceAll(/ +/g, " ");
      const [open, inline] = tokens.slice(heading + 1);
      if (text === "") return;
      expect(open?.type).toBe("paragraph_open");
      const children = inline?.children ?? [];
      expect(children.filter(({ type }) => type !== "text" && type !== "text_special").map(({ type }) => type)).toEqual(
        [],
      );
      expect(
        children
          .map(({ content }) => content)
          .join("")
          .trim()
          .replaceAll(/ +/g, " "),
      ).toBe(text);
    }, 300);
  });

  it("config/logging.yaml names the service and nothing runs away", async () => {
    await holds((each, file) => {
      expect(parse(file("config/logging.yaml"))).toMatchObject({
        root: { level: each.logging?.level },
        formatters: { json: { resource: { "service.name": each.name } } },
      });
    }, 20);
  });

  it("what is executed does not depend on it: scripts are the same for all", async () => {
    const scripts = async (each: Draft): Promise<(readonly [string, string])[]> =>
      [...(await treeOf(each))]
        // What the stack is made of is data, in a file of its own: names that were checked, and a quoted directory.
        .filter(([path]) => path.endsWith(".sh") && path !== "scripts/lib/stack.sh")
        .map(([path, file]) => [path, file.content] as const);
    const plain = new Map(await scripts({ name: "plain" }));
    await fc.assert(
      fc.asyncProperty(anyDraft, async (each) => {
        for (const [path, text] of await scripts(each)) expect(text).toBe(plain.get(path));
      }),
      runs(20),
    );
  });
});
