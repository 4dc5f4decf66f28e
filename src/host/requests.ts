import { connect } from "node:net";

/** A request over HTTP. */
export interface HttpRequest {
  method: string;
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body: unknown;
}

/** What came back; or why nothing did: `ECONNREFUSED`, `ETIMEDOUT`, or the like. */
export type HttpAnswer = { status: number; text: string } | { problem: string };

// More than any answer that a probe looks into.
const MAX_TEXT = 1024 * 1024;

/** Sends a request. Follows no redirect: an answer from elsewhere would not be the service's. */
export async function request({ method, url, headers, body }: HttpRequest, timeoutMs: number): Promise<HttpAnswer> {
  const place = URL.canParse(url) ? new URL(url) : undefined;
  if (place === undefined || !/^https?:$/.test(place.protocol)) return { problem: "invalid URL" };
  // fetch refuses a URL with a name and a password in it, and repeats both in its message.
  const { username, password } = place;
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`, "utf8");
  place.username = "";
  place.password = "";
  try {
    const answer = await fetch(place, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(username === "" ? {} : { authorization: `Basic ${credentials.toString("base64")}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: answer.status, text: (await answer.text()).slice(0, MAX_TEXT) };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return OTHER;
  if (error.name === "TimeoutError") return "ETIMEDOUT";
  // fetch hides the reason in its cause; one of several addresses that failed, in that one's list.
  const { cause } = error;
  if (cause instanceof AggregateError) return codeOf(cause.errors[0]) ?? codeOf(cause) ?? OTHER;
  return codeOf(cause) ?? codeOf(error) ?? OTHER;
}

// Never a message: one may repeat what was sent.
const OTHER = "no answer";

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Whether something accepts connections at a place. @returns undefined if it does, or why not: `ECONNREFUSED`, ... */
export async function connectionProblem(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return "invalid port";
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (problem: string | undefined): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(timeoutMs, () => {
      end("ETIMEDOUT");
    });
    socket.once("connect", () => {
      end(undefined);
    });
    socket.once("error", (error) => {
      end(codeOf(error) ?? OTHER);
    });
  });
}
