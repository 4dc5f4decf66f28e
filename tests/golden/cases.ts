import type { Draft } from "../../src/spec/schema.ts";

/** What stands in tests/golden/<name>/: the directory that these answers give on an empty host. */
export const CASES: Record<string, Draft> = {
  crewai: { name: "crewai" },
  dspy: { name: "dspy" },
  pocketflow: { name: "pocketflow" },
  "google-adk": { name: "google-adk" },
  "pydantic-ai": { name: "pydantic-ai" },
  // Everything that differs from the defaults at once.
  "other-choices": {
    name: "research-agents",
    description: 'Agents that read papers: "fast" & $cheap, {{really}}',
    services: { qdrant: { port: 7000 }, postgres: {} },
    images: "latest",
    profile: "medium",
    external: { langfuse: { mode: "external", host: "https://langfuse.example" } },
    logging: { level: "DEBUG", driver: "json-file", maxSize: "5m", maxFile: 2 },
    waivers: [{ rule: "non-root", service: "qdrant", reason: "the latest tag runs as root" }],
  },
};
