import { withinMs } from "./machine.ts";

/** Statements for a PostgreSQL server. */
export interface SqlWork {
  /** `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`. */
  url: string;
  statements: readonly string[];
}

/** The first column of each statement's first row, as text; or why the server refused, with the statement's place. */
export type SqlAnswer =
  | { values: readonly (string | undefined)[] }
  | { problem: string; message: string; at: number | undefined };

/**
 * Carries out statements in one transaction, and rolls it back: whatever happens, also to this program, nothing is left.
 * @param timeoutMs for all of it
 */
export async function sqlRolledBack({ url, statements }: SqlWork, timeoutMs: number): Promise<SqlAnswer> {
  const { default: pg } = await import("pg");
  let client: InstanceType<typeof pg.Client>;
  try {
    client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      statement_timeout: timeoutMs,
      application_name: "framework-infra validate",
    });
  } catch {
    // Its message would repeat the URL, and the password in it.
    return { problem: "invalid URL", message: "it is not a URL that a client understands", at: undefined };
  }
  // A connection that breaks is also reported to the statement that waits for it.
  client.on("error", () => undefined);
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

function problemOf(error: unknown, at: number | undefined): SqlAnswer {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const message = first instanceof Error ? first.message : String(first);
  const code = first instanceof Error && "code" in first && typeof first.code === "string" ? first.code : undefined;
  const isTimeout = /timeout/i.test(message);
  return { problem: code ?? (isTimeout ? "ETIMEDOUT" : "ERROR"), message, at };
}
