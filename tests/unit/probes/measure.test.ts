import { describe, expect, it } from "vitest";

import { measureSchema, type MeasureSpec } from "../../../src/catalogue/measure.ts";
import type { HttpRequest } from "../../../src/host/requests.ts";
import { compared, latencyOf, type Figure, type Latency } from "../../../src/probes/latency.ts";
import { measureAll, type Timed } from "../../../src/probes/measure.ts";
import { context } from "../../helpers/probes.ts";

function timed(declared: object, changes: Partial<Timed["context"]> = {}): Timed {
  const spec: MeasureSpec = measureSchema.parse({ id: "one", title: "it answers", ...declared });
  return {
    spec,
    context: {
      ...context(),
      precise: clock(),
      connect: async () => Promise.resolve({ problem: "28P01", message: "no such role", at: undefined }),
      ...changes,
    },
  };
}

/** A clock that goes on by so many milliseconds each time it is looked at. */
function clock(step = 1): () => number {
  let time = 0;
  return () => (time += step);
}

const HTTP = {
  url: "${URL}",
  before: [{ method: "PUT", path: "/${PROBE_NAME}" }],
  request: { path: "/x" },
  cleanup: [{ method: "DELETE", path: "/${PROBE_NAME}" }],
};

describe("measuring", () => {
  it("sends what is needed once, warms up, repeats, and takes away what it made", async () => {
    const sent: string[] = [];
    const held: unknown[] = [];
    const request = async ({ method, url }: HttpRequest): Promise<{ status: number; text: string }> => {
      sent.push(`${method} ${url}`);
      return Promise.resolve({ status: 200, text: "" });
    };
    const guard = (requests: readonly HttpRequest[]): (() => void) => {
      held.push(requests.length);
      return () => held.push("let go");
    };
    const [figures] = await measureAll([timed({ http: HTTP }, { request, guard })]);
    expect(figures).toEqual({ p50: figure(1), p95: figure(1) });
    expect(sent[0]).toBe("PUT http://here:1/probe_1");
    expect(sent.slice(1, -1)).toEqual(Array.from({ length: 105 }, () => "GET http://here:1/x"));
    expect(sent.at(-1)).toBe("DELETE http://here:1/probe_1");
    expect(held).toEqual([1, "let go"]);
  });

  it("does as many in each repeat as the manifest says, and warms up with no more", async () => {
    let count = 0;
    const request = async (): Promise<{ status: number; text: string }> => {
      count += 1;
      return Promise.resolve({ status: 200, text: "" });
    };
    await measureAll([timed({ timesPerRepeat: 3, http: { url: "http://x", request: { path: "/" } } }, { request })]);
    expect(count).toBe(18);
  });

  it("takes turns: a repeat of each before the next one of the first", async () => {
    const order: string[] = [];
    const of = (name: string): Timed =>
      timed(
        { http: { url: "http://x", request: { path: `/${name}` } } },
        {
          request: async () => {
            if (order.at(-1) !== name) order.push(name);
            return Promise.resolve({ status: 200, text: "" });
          },
        },
      );
    await measureAll([of("a"), of("b")]);
    expect(order.join("")).toBe("abababababab");
  });

  it("says what went wrong, and still takes away what it made", async () => {
    const sent: string[] = [];
    const answers =
      (wrong: string) =>
      async ({ method }: HttpRequest) => {
        sent.push(method);
        return Promise.resolve({ status: method === wrong ? 500 : 200, text: "" });
      };
    const results = await measureAll([
      timed({ http: HTTP }, { request: answers("PUT") }),
      timed({ http: HTTP }, { request: answers("GET") }),
      timed({ http: HTTP }, { request: answers("DELETE") }),
      timed({ http: { url: "${NOWHERE}", request: { path: "/" } } }),
      timed({ http: HTTP }, { request: answers("NONE"), precise: clock(2000) }),
      timed({ sql: { url: "${URL}", query: "SELECT 1" } }),
      timed({ http: HTTP }, { request: async () => Promise.reject(new URIError("top secret")) }),
    ]);
    expect(results).toEqual([
      { problem: "PUT /probe_1 was answered with 500, not 200", isLeft: false },
      { problem: "GET /x was answered with 500, not 200", isLeft: false },
      { problem: "what it may have made is not deleted yet: probe_1", isLeft: true },
      { problem: "it needs NOWHERE, which .env does not set", isLeft: false },
      { problem: "it took more than 60 seconds in all", isLeft: false },
      { problem: "no such role (28P01)", isLeft: false },
      { problem: "it could not be put together; see the values in .env that it uses", isLeft: false },
    ]);
    // Nothing was made where the first request was refused.
    expect(sent.filter((method) => method === "DELETE")).toHaveLength(3);
  });

  it("leaves what may still be made to the guard: a server that hangs may carry it out later", async () => {
    const held: string[] = [];
    const sent: string[] = [];
    const changes: Partial<Timed["context"]> = {
      request: async ({ method }) => {
        sent.push(method);
        return Promise.resolve(method === "PUT" ? { problem: "ETIMEDOUT" } : { status: 404, text: "" });
      },
      guard: () => () => held.push("let go"),
    };
    expect(await measureAll([timed({ http: HTTP }, changes)])).toEqual([
      {
        problem: "PUT /probe_1 was not answered (ETIMEDOUT); what it may have made is not deleted yet: probe_1",
        isLeft: true,
      },
    ]);
    expect([sent, held]).toEqual([["PUT"], []]);
  });

  it("waits until what was sent is stored, before it is taken away", async () => {
    const sent: string[] = [];
    const http = {
      url: "${URL}",
      request: { method: "POST", path: "/spans" },
      after: [{ path: "/spans", expect: { contains: "${PROBE_NAME}" }, within: 10 }],
      cleanup: [{ method: "DELETE", path: "/spans" }],
    };
    let asked = 0;
    const changes: Partial<Timed["context"]> = {
      request: async ({ method }) => {
        if (sent.at(-1) !== method) sent.push(method);
        if (method === "GET") asked += 1;
        return Promise.resolve({ status: 200, text: asked === 3 ? "probe_1" : "" });
      },
    };
    expect(await measureAll([timed({ http }, changes)])).toEqual([{ p50: figure(1), p95: figure(1) }]);
    expect([sent, asked]).toEqual([["POST", "GET", "DELETE"], 3]);
  });

  it("runs SQL in one transaction where something has to be there first, and by itself otherwise", async () => {
    const run = async (sql: object): Promise<string[]> => {
      const statements: string[] = [];
      const session = {
        run: async (statement: string) => {
          statements.push(statement);
          return Promise.resolve(undefined);
        },
        end: async () => {
          statements.push("end");
          return Promise.resolve();
        },
      };
      await measureAll([timed({ sql: { url: "${URL}", ...sql } }, { connect: async () => Promise.resolve(session) })]);
      return statements;
    };
    const one = await run({ before: ["CREATE TABLE ${PROBE_NAME}.x ()"], query: "SELECT 1" });
    expect(one.slice(0, 3)).toEqual(["BEGIN", "CREATE TABLE probe_1.x ()", "SELECT 1"]);
    expect(one.slice(-2)).toEqual(["SELECT 1", "end"]);
    expect((await run({ query: "SELECT 2" })).slice(0, 2)).toEqual(["SELECT 2", "SELECT 2"]);
  });

  it("ends the connection whatever goes wrong on it", async () => {
    const run = async (wrong: string): Promise<[unknown, string[]]> => {
      const statements: string[] = [];
      const session = {
        run: async (statement: string) => {
          statements.push(statement);
          return Promise.resolve(
            statement === wrong ? { problem: "42501", message: "denied", at: undefined } : undefined,
          );
        },
        end: async () => {
          statements.push("end");
          return Promise.resolve();
        },
      };
      const sql = { url: "${URL}", before: ["CREATE"], query: "SELECT" };
      const [figures] = await measureAll([timed({ sql }, { connect: async () => Promise.resolve(session) })]);
      return [figures, statements];
    };
    const denied = { problem: "denied (42501)", isLeft: false };
    expect(await run("CREATE")).toEqual([denied, ["BEGIN", "CREATE", "end"]]);
    expect(await run("SELECT")).toEqual([denied, ["BEGIN", "CREATE", "SELECT", "end"]]);
  });

  it("does not count what it does to warm up", async () => {
    let asked = 0;
    let time = 0;
    const [figures] = await measureAll([
      timed(
        { http: { url: "http://x", request: { path: "/" } } },
        {
          request: async () => {
            asked += 1;
            time += asked <= 5 ? 1000 : 1;
            return Promise.resolve({ status: 200, text: "" });
          },
          precise: () => time,
        },
      ),
    ]);
    expect(figures).toEqual({ p50: figure(1), p95: figure(1) });
  });

  it("needs one thing to time", () => {
    expect(measureSchema.safeParse({ id: "a", title: "b" }).success).toBe(false);
  });
});

function figure(median: number, least = median, most = median): Figure {
  return { median, least, most };
}

describe("figures", () => {
  it("are medians of repeats, by times that were really taken, with the noise", () => {
    const twenty = Array.from({ length: 20 }, (_, index) => index + 1);
    expect(latencyOf([twenty, twenty.map((ms) => ms * 2), twenty.map((ms) => ms / 2)])).toEqual({
      p50: figure(10, 5, 20),
      p95: figure(19, 9.5, 38),
    });
    expect(latencyOf([[1.23456]])).toEqual({ p50: figure(1.235), p95: figure(1.235) });
  });

  it.each<[string, Latency, string]>([
    ["as before", { p50: figure(10, 9, 11), p95: figure(20, 18, 22) }, "same"],
    ["within the noise", { p50: figure(11, 11, 12), p95: figure(22, 22, 25) }, "same"],
    ["slower by less than half a millisecond", { p50: figure(10.4, 11.1, 12), p95: figure(20, 18, 22) }, "same"],
    ["slower, with repeats that overlap", { p50: figure(15, 10.9, 16), p95: figure(20, 18, 22) }, "same"],
    ["slower by less than a quarter", { p50: figure(12.4, 11.1, 13), p95: figure(24, 22.1, 25) }, "same"],
    ["slower by half", { p50: figure(15, 11.1, 16), p95: figure(20, 18, 22) }, "slower"],
    ["slower at times", { p50: figure(10, 9, 11), p95: figure(30, 22.1, 40) }, "slower"],
    ["faster", { p50: figure(7, 6, 8.9), p95: figure(20, 18, 22) }, "faster"],
    ["faster, but slower at times", { p50: figure(7, 6, 8.9), p95: figure(30, 23, 40) }, "slower"],
  ])("compare: %s", (_, now, word) => {
    expect(compared(now, { p50: figure(10, 9, 11), p95: figure(20, 18, 22) })).toBe(word);
  });
});
