import type { Client } from "pg";

import { withinMs } from "./machine.ts";

/** Statements for a PostgreSQL server. */
export interface SqlWork {
  /** `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`. */
  url: string;
  statements: readonly string[];
}

/** The first column of each statement's first row, as text; or why the server refused, with the statement's place. */
export type SqlAnswer = { values: readonly (string | undefined)[] } | SqlProblem;

export interface SqlProblem {
  /** An SQLSTATE, or why there was no answer. */
  problem: string;
  message: string;
  at: number | undefined;
}

/** A connection on which one statement after the other is carried out. */
export interface SqlSession {
  /** @returns what went wrong */
  run: (statement: string) => Promise<SqlProblem | undefined>;
  /** What was not committed is rolled back. */
  end: () => Promise<void>;
}

/**
 * Carries out statements in one transaction, and rolls it back: whatever happens, also to this program, nothing is left.
 * @param timeoutMs for all of it
 */
export async function sqlRolledBack({ url, statements }: SqlWork, timeoutMs: number): Promise<SqlAnswer> {
  const client = await clientFor(url, timeoutMs);
  if ("problem" in client) return client;
  let at: number | undefined;
  const work = async (): Promise<SqlAnswer> => {
    await client.connect();
    await client.query("BEGIN");
    const values: (string | undefined)[] = [];
    for (const [index, statement] of statements.entries()) {
      at = index;
      const { rows } = await client.query<unknown[]>({ text: statement, rowMode: "array" });
      const value = rows[0]?.[0] as string | number | boolean | null | undefined;
      values.push(value === undefined || value === null ? undefined : String(value));
    }
    at = undefined;
    await client.query("ROLLBACK");
    return { values };
  };
  try {
    return (await withinMs(timeoutMs, work())) ?? { problem: "ETIMEDOUT", message: "there was no answer in time", at };
  } catch (error) {
    return problemOf(error, at);
  } finally {
    // Not waited for: a server that hangs does not take leave either.
    client.end().catch(() => undefined);
  }
}

/** @param timeoutMs for the connection, and for each statement */
export async function sqlSession(url: string, timeoutMs: number): Promise<SqlSession | SqlProblem> {
  const client = await clientFor(url, timeoutMs);
  if ("problem" in client) return client;
  const tried = async (work: () => Promise<unknown>): Promise<SqlProblem | undefined> => {
    try {
      await work();
      return undefined;
    } catch (error) {
      return problemOf(error, undefined);
    }
  };
  const problem = await tried(async () => client.connect());
  if (problem !== undefined) return problem;
  return {
    run: async (statement) => tried(async () => client.query(statement)),
    end: async () => {
      await withinMs(timeoutMs, client.end());
    },
  };
}

async function clientFor(url: string, timeoutMs: number): Promise<Client | SqlProblem> {
  const { default: pg } = await import("pg");
  try {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      statement_timeout: timeoutMs,
      application_name: "framework-infra validate",
    });
    // A connection that breaks is also reported to the statement that waits for it.
    client.on("error", () => undefined);
    return client;
  } catch {
    // Its message would repeat the URL, and the password in it.
    return { problem: "invalid URL", message: "it is not a URL that a client understands", at: undefined };
  }
}

function problemOf(error: unknown, at: number | undefined): SqlProblem {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const message = first instanceof Error ? first.message : String(first);
  const code = first instanceof Error && "code" in first && typeof first.code === "string" ? first.code : undefined;
  const isTimeout = /timeout/i.test(message);
  return { problem: code ?? (isTimeout ? "ETIMEDOUT" : "ERROR"), message, at };
}
