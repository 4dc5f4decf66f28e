import fc from "fast-check";

import { nameProblem, MAX_NAME_LENGTH } from "../../src/catalogue/names.ts";
import { descriptionProblem, hostUrlProblem, type Draft } from "../../src/spec/schema.ts";

/** How many cases a property gets: a sample here, FRAMEWORK_INFRA_RUNS in the full run. */
export function runs(sample: number): { numRuns: number } {
  const asked = Number(process.env["FRAMEWORK_INFRA_RUNS"] ?? "0");
  return { numRuns: asked > 0 ? asked : sample };
}

/** Whether this is the full run, where nothing is sampled. */
export const isFull = process.env["FRAMEWORK_INFRA_RUNS"] !== undefined;

const RESERVED = [/^(?:postgres|template[01]|public|none|pg(?:-.*)?|langfuse)$/];

const name = fc
  .stringMatching(/^[a-z][a-z0-9]{0,11}(?:-[a-z0-9]{1,9}){0,4}$/)
  .filter((text) => text.length <= MAX_NAME_LENGTH && nameProblem(text, RESERVED) === undefined);

// Words that mean something to YAML, shell, Handlebars, Markdown, `.env` or Python, among anything else.
const spice = fc.constantFrom(
  "{{name}}",
  "{{{x}}}",
  "{{/each}}",
  "${HOME}",
  "$HOME",
  "$(id)",
  "`id`",
  "'",
  '"',
  "\\",
  "#",
  " #",
  ": ",
  "- ",
  "---",
  "...",
  "[x](y)",
  "![x](y)",
  "<script>",
  "<!--",
  "&amp;",
  "&#65;",
  "*b*",
  "_i_",
  "~~s~~",
  "|",
  ">",
  "1. ",
  "+ ",
  "=",
  "===",
  "```",
  "~~~",
  "%s",
  "\\n",
  "null",
  "true",
  "@x",
  "!x",
  "&x",
  "*x",
  "?",
  "|-",
  ";",
  "&&",
  "rm -rf /",
  "'''",
  '"""',
  "    ",
);
const line = fc
  .array(fc.oneof(spice, fc.string({ unit: "grapheme", maxLength: 8 }), fc.lorem({ maxCount: 2 })), { maxLength: 8 })
  .map((parts) => parts.join(""))
  .filter((text) => descriptionProblem(text) === undefined);

const url = fc
  .webUrl({ withQueryParameters: true, validSchemes: ["http", "https"] })
  .filter((text) => hostUrlProblem(text) === undefined);

/** Any draft that is accepted, without ports. */
export const draft: fc.Arbitrary<Draft> = fc.record({
  name,
  description: line,
  preset: fc.constantFrom("crewai", "dspy", "pocketflow", "google-adk", "pydantic-ai", "custom"),
  services: fc.subarray(["qdrant", "postgres", "langfuse"], { minLength: 1 }),
  images: fc.constantFrom("pinned", "latest"),
  profile: fc.constantFrom("small", "medium", "large"),
  logging: fc.record({
    level: fc.constantFrom("DEBUG", "WARNING"),
    driver: fc.constantFrom("local", "json-file"),
    maxSize: fc.constantFrom("10m", "1g"),
    maxFile: fc.integer({ min: 1, max: 100 }),
  }),
  waivers: fc.array(
    fc.record({
      rule: fc.constantFrom("non-root", "a: b"),
      service: fc.constantFrom("qdrant"),
      reason: fc.string({ minLength: 1, maxLength: 60 }),
    }),
    { maxLength: 2 },
  ),
});

/** The same with a Langfuse that runs elsewhere. */
export const externalDraft: fc.Arbitrary<Draft> = fc.tuple(draft, url).map(([each, host]) => ({
  ...each,
  services: ["qdrant", "postgres"],
  external: { langfuse: { mode: "external", host } },
}));
