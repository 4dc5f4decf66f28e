import { describe, expect, it } from "vitest";

import { nameProblems } from "../../../src/env/unique-names.ts";
import { builtIn } from "../../helpers/catalogue.ts";

const { services } = await builtIn();
const entries = ["langfuse", "postgres"].flatMap((id) => services.get(id)?.env ?? []);
const GOOD = {
  POSTGRES_USER: "postgres",
  APP_DB_NAME: "crewai",
  APP_DB_USER: "crewai",
  LANGFUSE_DB_NAME: "langfuse",
  LANGFUSE_DB_USER: "langfuse",
};

function problems(edits: Partial<typeof GOOD>): string[] {
  const lines = Object.entries({ ...GOOD, ...edits }).map(([name, value]) => `${name}=${value}`);
  return nameProblems(lines.join("\n"), entries).map(
    ({ key, line, message }) => `${String(line)} ${String(key)} ${message}`,
  );
}

describe("names of roles and databases in .env", () => {
  it("are fine as they are generated, and where one is missing", () => {
    expect(problems({})).toEqual([]);
    expect(nameProblems("LANGFUSE_DB_USER=langfuse\n", entries)).toEqual([]);
  });

  it.each<[Partial<typeof GOOD>, string[]]>([
    [{ LANGFUSE_DB_USER: "postgres" }, ['5 LANGFUSE_DB_USER "postgres" is reserved']],
    [{ APP_DB_USER: "PG_monitor" }, ['3 APP_DB_USER "PG_monitor" is reserved']],
    [{ POSTGRES_USER: "pg_admin" }, ['1 POSTGRES_USER "pg_admin" is reserved']],
    [{ LANGFUSE_DB_USER: "crewai" }, ["3 APP_DB_USER must differ from LANGFUSE_DB_USER"]],
    [{ POSTGRES_USER: "admin", APP_DB_USER: "admin" }, ["3 APP_DB_USER must differ from POSTGRES_USER"]],
    [{ APP_DB_NAME: "template1" }, ['2 APP_DB_NAME "template1" is reserved']],
    [{ LANGFUSE_DB_NAME: "crewai" }, ["2 APP_DB_NAME must differ from LANGFUSE_DB_NAME"]],
  ])("are refused: %j", (edits, expected) => {
    expect(problems(edits)).toEqual(expected);
  });
});
