import type { ProbeRequest, ProbeSpec } from "../catalogue/probe.ts";
import { interpolate } from "../env/interpolate.ts";
import type { HttpAnswer, HttpRequest } from "../host/requests.ts";
import { isMapping, withTexts } from "../lib/mapping.ts";
import { filled, type ProbeContext } from "./context.ts";
import { failed, passed, hintFor, type Verdict } from "./probe.ts";

type Http = NonNullable<ProbeSpec["http"]>;

/** A request of a probe or of a measure. */
type Step = Omit<ProbeRequest, "hint" | "within"> & Partial<Pick<ProbeRequest, "hint" | "within">>;

/** Sends the requests of a probe one after the other, and takes away what they made. */
export async function overHttp(spec: ProbeSpec, http: Http, context: ProbeContext): Promise<Verdict> {
  const cleanup = http.cleanup.map((each) => requestOf(http, each, context));
  // Should this program end before it is called off, the guard sends them.
  const callOff = cleanup.length === 0 ? undefined : context.guard(cleanup);
  let verdict = passed(spec.title);
  let hasMade = false;
  for (const each of http.requests) {
    const sent = await oneRequest(spec, http, each, context);
    ({ verdict } = sent);
    hasMade ||= sent.hasMade;
    // A server that hangs would let the cleanup wait as well: the guard tries it later.
    if (sent.isLate && hasMade) return withLeftOver(verdict, context);
    if (verdict.outcome !== "pass") break;
  }
  if (hasMade && !(await haveSucceeded(cleanup, context))) return withLeftOver(verdict, context);
  callOff?.();
  return verdict;
}

/** What is said of something that could not be deleted. */
export function leftOver({ lookup }: Pick<ProbeContext, "lookup">): string {
  return `what it may have made is not deleted yet: ${lookup("PROBE_NAME") ?? ""}`;
}

function withLeftOver(verdict: Verdict, context: ProbeContext): Verdict {
  const left = leftOver(context);
  return verdict.outcome === "pass"
    ? failed(left, "if it is still there, delete it by hand")
    : { ...verdict, message: `${verdict.message}; ${left}` };
}

/** Whether all of the cleanup has worked; what is not there cannot be left. */
export async function haveSucceeded(cleanup: readonly HttpRequest[], context: ProbeContext): Promise<boolean> {
  for (const each of cleanup) {
    const answer = await context.request(each, context.timeoutMs);
    if (!("status" in answer) || (answer.status >= 300 && answer.status !== 404)) return false;
  }
  return true;
}

/** What came of a request of a probe. */
interface Sent {
  verdict: Verdict;
  /** There was no answer in time. */
  isLate: boolean;
  /** The server may have made something. */
  hasMade: boolean;
}

/** Sends one request, and again until it is answered as expected or the time for that is over. */
export async function oneRequest(
  spec: Pick<ProbeSpec, "title" | "hint" | "hints">,
  http: Pick<Http, "url" | "headers">,
  step: Step,
  context: ProbeContext,
): Promise<Sent> {
  const request = requestOf(http, step, context);
  // Somebody who gives one answer less time than usual does not want to wait for this one either.
  const patience = Math.min(step.within ?? 0, (context.timeoutMs / 1000) * MOST_ROUNDS);
  const deadline = context.now() + patience * 1000;
  for (;;) {
    const answer = await context.request(request, context.timeoutMs);
    const hasMade = !["GET", "HEAD"].includes(step.method) && mayHaveWorked(answer);
    const wrong = wrongWith(answer, step, context);
    if (wrong === undefined) return { verdict: passed(spec.title), isLate: false, hasMade };
    if (context.now() >= deadline) {
      const late = step.within === undefined ? "" : `, for ${String(patience)} seconds`;
      const message = `${request.method} ${pathOf(step, context)} ${wrong.message}${late}`;
      const hint = hintFor(spec, wrong.code, step.hint);
      return { verdict: failed(message, hint), isLate: wrong.code === "ETIMEDOUT", hasMade };
    }
    await context.pause(500);
  }
}

function mayHaveWorked(answer: HttpAnswer): boolean {
  if ("status" in answer) return answer.status < 300;
  return !["ECONNREFUSED", "ENOTFOUND", "invalid URL"].includes(answer.problem);
}

/** What is stored later is waited for as long as this many answers may take. */
const MOST_ROUNDS = 6;

/** The path as people may see it: with names of the probe, but no value of `.env` filled in, which may be a secret. */
function pathOf({ path }: Step, { lookup }: ProbeContext): string {
  const shown = (name: string): string | undefined => (name.startsWith("PROBE_") ? lookup(name) : `\${${name}}`);
  return interpolate(path.split("?", 1)[0] ?? path, shown);
}

/** One request of a manifest, with its variables filled in. */
export function requestOf(
  http: Pick<Http, "url" | "headers">,
  { method, path, headers, body }: Step,
  context: ProbeContext,
): HttpRequest {
  const fill = (text: string): string => filled(text, context);
  return {
    method,
    url: `${fill(http.url).replace(/\/+$/, "")}${fill(path)}`,
    headers: Object.fromEntries(
      Object.entries(headers ?? http.headers).map(([name, value]) => [name, headerOf(fill(value))]),
    ),
    body: withTexts(body, fill),
  };
}

/** `Basic USER:PASSWORD`, as people write it, is sent as the protocol has it. */
function headerOf(value: string): string {
  const pair = /^Basic ([^:]*:.*)$/.exec(value)?.[1];
  return pair === undefined ? value : `Basic ${Buffer.from(pair, "utf8").toString("base64")}`;
}

/** What is wrong with an answer, and the code under which a manifest may have a hint for it. */
function wrongWith(
  answer: HttpAnswer,
  { expect }: Step,
  context: ProbeContext,
): { code: string; message: string } | undefined {
  if ("problem" in answer) return { code: answer.problem, message: `was not answered (${answer.problem})` };
  const fill = (written: string): string => filled(written, context);
  const { status, text } = answer;
  if (!expect.status.includes(status))
    return { code: String(status), message: `was answered with ${String(status)}, not ${expect.status.join(" or ")}` };
  if (expect.contains !== undefined && !text.includes(fill(expect.contains)))
    return { code: "content", message: "was answered without what it must hold" };
  const wrong = Object.entries(expect.json).find(
    ([path, value]) => !isSame(valueAt(text, path), withTexts(value, fill)),
  );
  return wrong === undefined
    ? undefined
    : { code: "content", message: `was answered with another ${wrong[0]} than ${JSON.stringify(wrong[1])}` };
}

function valueAt(text: string, path: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const key of path.split(".")) {
    if (Array.isArray(value)) value = value[Number(key)];
    else value = isMapping(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
