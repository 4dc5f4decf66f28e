import { expect, it } from "vitest";

import { judgeImages } from "../../../src/compose/images.ts";
import { builtIn } from "../../helpers/catalogue.ts";

const catalogue = await builtIn();
const containers = [...catalogue.services.values()].flatMap((service) => service.containers);
const compose = (service: string, image: string): string => `services:\n  ${service}:\n    image: ${image}\n`;

function judged(service: string, from: string, to: string, env: Record<string, string> = {}): string {
  try {
    return judgeImages(compose(service, from), compose(service, to), new Map(Object.entries(env)), containers).join(
      "\n",
    );
  } catch (error) {
    return `refused: ${error instanceof Error ? error.message : ""}`;
  }
}

it.each<[string, string, string, RegExp]>([
  ["postgres", "postgres:15-alpine", "postgres:15-alpine", /^$/],
  ["postgres", "postgres:15.8-alpine", "postgres:15.9-alpine", /^postgres: image .*15\.9-alpine\.$/],
  ["postgres", "postgres:15-alpine", "postgres:16-alpine", /^refused: .*Dump every database/],
  ["postgres", "mirror.example:5000/postgres:15", "postgres:17", /^refused: /],
  ["postgres", "postgres:15-alpine", "postgres:latest", /cannot be compared by their tags.*Dump/],
  ["postgres", "postgres:15-alpine", "postgres@sha256:0", /cannot be compared/],
  ["qdrant", "qdrant/qdrant:v1.19.0", "qdrant/qdrant:v1.19.2", /v1\.19\.2\.$/],
  ["qdrant", "qdrant/qdrant:v1.19.0", "qdrant/qdrant:v1.20.0", /v1\.20\.0\. Qdrant migrates/],
  ["qdrant", "qdrant/qdrant:v1.19.0", "qdrant/qdrant:v1.21.0", /^refused: /],
  ["qdrant", "qdrant/qdrant:v1.19.0", "qdrant/qdrant:v1.18.0", /^refused: /],
  ["qdrant", "qdrant/qdrant:v1.19.0", "qdrant/qdrant:v2.0.0", /^refused: /],
  ["langfuse", "langfuse/langfuse:4.16.0", "langfuse/langfuse:4.17.0", /Take a backup/],
])("%s: %s to %s", (service, from, to, expected) => {
  expect(judged(service, from, to)).toMatch(expected);
});

it("looks at the image that really runs", () => {
  const [from, to] = ["${POSTGRES_IMAGE:-postgres:15-alpine}", "${POSTGRES_IMAGE:-postgres:16-alpine}"];
  expect(judged("postgres", from, to)).toMatch(/^refused/);
  expect(judged("postgres", from, to, { POSTGRES_IMAGE: "postgres:16" })).toBe("");
});
