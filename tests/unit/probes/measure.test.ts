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
    ]);
    expect(results).toEqual([
      { problem: "PUT was answered with 500, not 200" },
      { problem: "GET was answered with 500, not 200" },
      { problem: "what it made is not deleted yet: probe_1" },
      { problem: "it needs NOWHERE, which .env does not set" },
      { problem: "it took more than 60 seconds in all" },
      { problem: "no such role (28P01)" },
    ]);
    expect(sent.filter((method) => method === "DELETE")).toHaveLength(4);
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
    ["slower by half", { p50: figure(12, 11.1, 13), p95: figure(20, 18, 22) }, "slower"],
    ["slower at times", { p50: figure(10, 9, 11), p95: figure(30, 22.1, 40) }, "slower"],
    ["faster", { p50: figure(8, 7, 8.9), p95: figure(20, 18, 22) }, "faster"],
    ["faster, but slower at times", { p50: figure(8, 7, 8.9), p95: figure(30, 23, 40) }, "slower"],
  ])("compare: %s", (_, now, word) => {
    expect(compared(now, { p50: figure(10, 9, 11), p95: figure(20, 18, 22) })).toBe(word);
  });
});
