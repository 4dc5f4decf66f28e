import type { ProbeSpec } from "../catalogue/probe.ts";
import type { Container } from "../host/containers.ts";
import { filled, variablesOf, type ProbeContext } from "./context.ts";
import { overHttp } from "./http.ts";
import { failed, passed, unknown, hintFor, type Verdict } from "./probe.ts";
import { byReaching, byScript } from "./scripts.ts";

/** A declared probe, and the container that it is about; undefined for a service outside the stack. */
export interface Asked {
  spec: ProbeSpec;
  container: Container | undefined;
  /** A network of the stack's file that the container is on; undefined where there is none. */
  network: string | undefined;
}

/** Carries out a declared probe. */
export async function ask({ spec, container, network }: Asked, context: ProbeContext): Promise<Verdict> {
  const { http, tcp, sql, exec } = spec;
  const missing = variablesOf([http, tcp, sql, exec?.env]).filter((name) => (context.lookup(name) ?? "") === "");
  if (missing.length > 0)
    return unknown(
      `.env does not set ${missing.join(", ")}`,
      "set it as .env.template says; validate shows what is missing",
    );
  if (spec.http !== undefined) return overHttp(spec, spec.http, context);
  if (spec.sql !== undefined) return bySql(spec, spec.sql, context);
  if (spec.tcp !== undefined) return overTcp(spec, spec.tcp, context);
  if (container === undefined) return unknown("it does not run in this stack", spec.hint);
  if (spec.exec !== undefined) return byScript(spec, spec.exec, { container, network }, context);
  return spec.reach === undefined ? passed(spec.title) : byReaching(spec, spec.reach.script, container, context);
}

async function overTcp(
  spec: ProbeSpec,
  { host, port }: NonNullable<ProbeSpec["tcp"]>,
  context: ProbeContext,
): Promise<Verdict> {
  const fill = (text: string): string => filled(text, context);
  const problem = await context.connects(fill(host), Number(fill(port)), context.timeoutMs);
  return problem === undefined
    ? passed(spec.title)
    : failed(`cannot be connected to (${problem})`, hintFor(spec, problem));
}

async function bySql(spec: ProbeSpec, sql: NonNullable<ProbeSpec["sql"]>, context: ProbeContext): Promise<Verdict> {
  const fill = (text: string): string => filled(text, context);
  const statements = sql.statements.map(({ query }) => fill(query));
  const answer = await context.sql({ url: fill(sql.url), statements }, context.timeoutMs);
  if ("problem" in answer) {
    const { problem, message, at } = answer;
    if (sql.refused.includes(problem)) return passed(spec.title);
    const statement = at === undefined ? undefined : sql.statements[at];
    return failed(`${message} (${problem})`, hintFor(spec, problem, statement?.hint));
  }
  if (sql.refused.length > 0) return failed("the server accepted a role that it must refuse", spec.hint);
  const wrong = sql.statements.findIndex(
    ({ value }, index) => value !== undefined && fill(value) !== answer.values[index],
  );
  if (wrong === -1) return passed(spec.title);
  return failed(
    `${sql.statements[wrong]?.query ?? ""} gave ${answer.values[wrong] ?? "nothing"}`,
    sql.statements[wrong]?.hint ?? spec.hint,
  );
}
