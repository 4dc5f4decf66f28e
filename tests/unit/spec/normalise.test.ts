import { describe, expect, it } from "vitest";

import { UserError } from "../../../src/lib/errors.ts";
import { normalise } from "../../../src/spec/normalise.ts";
import type { Draft } from "../../../src/spec/schema.ts";
import { builtIn } from "../../helpers/catalogue.ts";

const catalogue = await builtIn();
const fill = (draft: Draft, ports: [string, number][] = []): ReturnType<typeof normalise> =>
  normalise({ draft, ports: new Map(ports) }, catalogue);

function refusal(draft: Draft, ports: [string, number][] = []): UserError {
  try {
    fill(draft, ports);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("normalise", () => {
  it("fills every default", () => {
    const { spec } = fill({ name: "crewai" });
    expect(spec).toMatchObject({
      schemaVersion: 1,
      name: "crewai",
      preset: "crewai",
      images: "pinned",
      profile: "small",
      external: { langfuse: { mode: "dedicated" } },
    });
    expect(Object.keys(spec.services)).toEqual(["clickhouse", "langfuse", "postgres", "qdrant", "seaweedfs", "valkey"]);
  });

  it("marks what came as a dependency", () => {
    const { spec } = fill({ name: "x", services: ["langfuse"] });
    const requested = Object.entries(spec.services).filter(([, service]) => service.requested);
    expect(requested.map(([id]) => id)).toEqual(["langfuse"]);
    expect(spec.services["postgres"]).toEqual({ requested: false });
  });

  it("takes the preset of the name, or the one for every other name", () => {
    expect(fill({ name: "dspy" }).spec.preset).toBe("dspy");
    expect(fill({ name: "my-own" }).spec.preset).toBe("custom");
    expect(fill({ name: "my-own", preset: "dspy" }).spec.preset).toBe("dspy");
  });

  it("does not depend on the order of the services", () => {
    expect(fill({ name: "x", services: ["qdrant", "postgres"] })).toEqual(
      fill({ name: "x", services: ["postgres", "qdrant"] }),
    );
  });

  it("leaves the external Langfuse out, and says so", () => {
    const { spec, notes } = fill({
      name: "x",
      services: ["qdrant", "langfuse"],
      external: { langfuse: { mode: "external", host: "https://langfuse.example" } },
    });
    expect(Object.keys(spec.services)).toEqual(["qdrant"]);
    expect(notes.join(" ")).toContain("used from outside");
  });

  it("keeps typed ports, a flag before a file", () => {
    const { typed } = fill({ name: "x", services: { qdrant: { port: 7000 }, postgres: { port: 7001 } } }, [
      ["qdrant", 7100],
    ]);
    expect(typed).toEqual(
      new Map([
        ["qdrant", 7100],
        ["postgres", 7001],
      ]),
    );
  });

  it.each<[string, Draft, [string, number][], string]>([
    ["no name", {}, [], "name"],
    ["a bad name", { name: "Pydantic AI" }, [], "pydantic-ai"],
    ["a name that PostgreSQL keeps for itself", { name: "postgres" }, [], "reserved"],
    ["a name that Langfuse keeps for itself", { name: "langfuse" }, [], "reserved"],
    ["an unknown preset", { name: "x", preset: "nope" }, [], "crewai"],
    ["an unknown service", { name: "x", services: ["qdrannt"] }, [], "qdrant"],
    ["no service", { name: "x", services: [] }, [], "at least one"],
    [
      "a port for a service that is not chosen",
      { name: "x", services: ["qdrant"] },
      [["postgres", 5432]],
      "not chosen",
    ],
    ["a port for an unknown service", { name: "x" }, [["nope", 5432]], "not a service"],
    ["a port for a service that publishes none", { name: "x" }, [["valkey", 6379]], "publishes no port"],
    [
      "a host for a Langfuse that runs here",
      { name: "x", external: { langfuse: { mode: "dedicated", host: "http://a" } } },
      [],
      "external",
    ],
  ])("refuses %s", (_, draft, ports, message) => {
    const error = refusal(draft, ports);
    expect(error.exit).toBe(2);
    expect(`${error.message} ${error.hint ?? ""}`).toContain(message);
  });

  it("reports all problems at once", () => {
    expect(refusal({ name: "x", preset: "nope", services: ["a", "b"] }).details).toHaveLength(3);
  });
});
