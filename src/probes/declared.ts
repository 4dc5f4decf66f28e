import type { ProbeSpec } from "../catalogue/probe.ts";
import { interpolate } from "../env/interpolate.ts";
import type { Container } from "../host/containers.ts";
import type { Hands } from "./hands.ts";
import { overHttp } from "./http.ts";
import { failed, passed, unknown, usualHint, type Verdict } from "./probe.ts";
import { byReaching, byScript } from "./scripts.ts";

/** A declared probe, and the container that it is about; undefined for a service outside the stack. */
export interface Asked {
  spec: ProbeSpec;
  container: Container | undefined;
  /** A network of the stack's file that the container is on; undefined where there is none. */
  network: string | undefined;
}

/** Carries out a declared probe. */
export async function ask({ spec, container, network }: Asked, hands: Hands): Promise<Verdict> {
  const missing = variablesOf(spec).filter((name) => (hands.lookup(name) ?? "") === "");
  if (missing.length > 0)
    return unknown(
      `.env does not set ${missing.join(", ")}`,
      "set it as .env.template says; validate shows what is missing",
    );
  if (spec.http !== undefined) return overHttp(spec, spec.http, hands);
  if (spec.sql !== undefined) return bySql(spec, spec.sql, hands);
  if (spec.tcp !== undefined) return overTcp(spec, spec.tcp, hands);
  if (container === undefined) return unknown("it does not run in this stack", spec.hint);
  if (spec.exec !== undefined) return byScript(spec, spec.exec, { container, network }, hands);
  return spec.reach === undefined ? passed(spec.title) : byReaching(spec, spec.reach.script, container, hands);
}

/** The variables that a probe cannot do without: those without a default. */
function variablesOf({ http, tcp, sql, exec }: ProbeSpec): string[] {
  const texts = JSON.stringify([http, tcp, sql, exec?.env]);
  return [...new Set([...texts.matchAll(/(?<!\$)\$\{([A-Z][A-Z0-9_]*)\}/g)].map(([, name = ""]) => name))];
}

async function overTcp(spec: ProbeSpec, { host, port }: NonNullable<ProbeSpec["tcp"]>, hands: Hands): Promise<Verdict> {
  const fill = (text: string): string => interpolate(text, hands.lookup);
  const problem = await hands.connects(fill(host), Number(fill(port)), hands.timeoutMs);
  return problem === undefined
    ? passed(spec.title)
    : failed(`cannot be connected to (${problem})`, spec.hints[problem] ?? usualHint(problem) ?? spec.hint);
}

async function bySql(spec: ProbeSpec, sql: NonNullable<ProbeSpec["sql"]>, hands: Hands): Promise<Verdict> {
  const fill = (text: string): string => interpolate(text, hands.lookup);
  const statements = sql.statements.map(({ query }) => fill(query));
  const answer = await hands.sql({ url: fill(sql.url), statements }, hands.timeoutMs);
  if ("problem" in answer) {
    const { problem, message, at } = answer;
    if (sql.refused.includes(problem)) return passed(spec.title);
    const statement = at === undefined ? undefined : sql.statements[at];
    return failed(`${message} (${problem})`, spec.hints[problem] ?? usualHint(problem) ?? statement?.hint ?? spec.hint);
  }
  if (sql.refused.length > 0) return failed("the server let in who must be refused", spec.hint);
  const wrong = sql.statements.findIndex(
    ({ value }, index) => value !== undefined && fill(value) !== answer.values[index],
  );
  if (wrong === -1) return passed(spec.title);
  return failed(
    `${sql.statements[wrong]?.query ?? ""} gave ${answer.values[wrong] ?? "nothing"}`,
    sql.statements[wrong]?.hint ?? spec.hint,
  );
}
