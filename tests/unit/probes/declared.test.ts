import { describe, expect, it } from "vitest";

import type { DockerAnswer } from "../../../src/host/docker.ts";
import type { Script } from "../../../src/host/peer.ts";
import { connectionProblem, type HttpAnswer, type HttpRequest } from "../../../src/host/requests.ts";
import { ask } from "../../../src/probes/declared.ts";
import type { ProbeContext } from "../../../src/probes/context.ts";
import type { Verdict } from "../../../src/probes/probe.ts";
import { runProbes } from "../../../src/probes/run.ts";
import { spawnSync } from "node:child_process";
import { container, context, probeOf } from "../../helpers/probes.ts";

async function asked(declared: object, changes: Partial<ProbeContext> = {}): Promise<Verdict> {
  return ask({ spec: probeOf(declared), container: container(), network: "app_internal" }, context(changes));
}

const PASS: Partial<Verdict> = { outcome: "pass", hint: "" };
const docker = (answer: Partial<DockerAnswer>): DockerAnswer => ({
  text: undefined,
  failure: "failed",
  said: "",
  printed: "",
  code: 1,
  ...answer,
});

/** A server that gives one answer after the other, and what it was sent. */
function server(...answers: HttpAnswer[]): { sent: HttpRequest[]; request: ProbeContext["request"] } {
  const sent: HttpRequest[] = [];
  return {
    sent,
    request: async (request) => {
      sent.push(request);
      return Promise.resolve(answers[Math.min(sent.length, answers.length) - 1] ?? { problem: "EMPTY" });
    },
  };
}

const ok = (body: unknown): HttpAnswer => ({ status: 200, text: JSON.stringify(body) });

describe("a probe over HTTP", () => {
  const round = {
    http: {
      url: "${URL}",
      headers: { "api-key": "${KEY}" },
      requests: [
        { method: "PUT", path: "/c/${PROBE_NAME}", body: { name: "${PROBE_NAME}", n: [1, "${KEY}"] } },
        { path: "/c/${PROBE_NAME}/1", headers: {}, expect: { json: { "result.0.id": 1 } } },
      ],
      cleanup: [{ method: "DELETE", path: "/c/${PROBE_NAME}" }],
    },
  };

  it("sends each request with its values filled in, and cleans up", async () => {
    const { sent, request } = server(ok({}), ok({ result: [{ id: 1 }] }), ok({}));
    expect(await asked(round, { request })).toMatchObject(PASS);
    expect(sent).toEqual([
      {
        method: "PUT",
        url: "http://here:1/c/probe_1",
        headers: { "api-key": "topsecret" },
        body: { name: "probe_1", n: [1, "topsecret"] },
      },
      { method: "GET", url: "http://here:1/c/probe_1/1", headers: {}, body: undefined },
      { method: "DELETE", url: "http://here:1/c/probe_1", headers: { "api-key": "topsecret" }, body: undefined },
    ]);
  });

  it("does not pass when what it made could not be taken away, which the guard then does", async () => {
    let calledOff = 0;
    const guard = () => () => {
      calledOff += 1;
    };
    const { request } = server(ok({}), ok({ result: [{ id: 1 }] }), { status: 500, text: "" });
    expect(await asked(round, { request, guard })).toMatchObject({
      outcome: "fail",
      message: "what it may have made is not deleted yet: probe_1",
      hint: "if it is still there, delete it by hand",
    });
    expect(calledOff).toBe(0);
    const gone = server(ok({}), ok({ result: [{ id: 1 }] }), { status: 404, text: "" });
    expect(await asked(round, { request: gone.request, guard })).toMatchObject(PASS);
    expect(calledOff).toBe(1);
  });

  it.each<HttpAnswer>([{ status: 401, text: "" }, { problem: "ECONNREFUSED" }])(
    "cleans nothing up where nothing can have been made: %j",
    async (answer) => {
      let calledOff = 0;
      const { sent, request } = server(answer);
      const guard = () => () => {
        calledOff += 1;
      };
      expect(await asked(round, { request, guard })).toMatchObject({ outcome: "fail" });
      expect([sent.length, calledOff]).toEqual([1, 1]);
    },
  );

  it("leaves the cleanup to the guard when the server hangs", async () => {
    const { sent, request } = server({ problem: "ETIMEDOUT" });
    expect(await asked(round, { request })).toMatchObject({ outcome: "fail" });
    expect(sent.map(({ method }) => method)).toEqual(["PUT"]);
  });

  it("stops at the first wrong answer, and cleans up all the same; the guard knows of it meanwhile", async () => {
    const { sent, request } = server(ok({}), ok({ result: [{ id: 2 }] }), ok({}));
    const held: (readonly HttpRequest[] | "released")[] = [];
    const verdict = await asked(round, {
      request,
      guard: (requests) => {
        held.push(requests);
        return () => held.push("released");
      },
    });
    expect(verdict).toEqual({
      outcome: "fail",
      message: "GET /c/probe_1/1 was answered with another result.0.id than 1",
      hint: "restart it",
    });
    expect(sent.map(({ method }) => method)).toEqual(["PUT", "GET", "DELETE"]);
    expect(held).toEqual([[expect.objectContaining({ method: "DELETE" })], "released"]);
  });

  it.each<[object, HttpAnswer, Partial<Verdict>]>([
    [{}, ok({}), PASS],
    [{ expect: { status: [401, 403] } }, { status: 403, text: "" }, PASS],
    [{ expect: { status: [401, 403] } }, ok({}), { message: "GET / was answered with 200, not 401 or 403" }],
    [{ expect: { contains: "${PROBE_NAME}" } }, { status: 200, text: "it is probe_1" }, PASS],
    [{ expect: { contains: "${PROBE_NAME}" } }, ok({}), { message: "GET / was answered without what it must hold" }],
    [
      { expect: { json: { "a.b": 2 } } },
      ok({ a: { b: 3 } }),
      { message: "GET / was answered with another a.b than 2" },
    ],
    [{ expect: { json: { "a.b": 2 } } }, { status: 200, text: "<html>" }, { outcome: "fail" }],
    [{ expect: { json: { "toString.name": "toString" } } }, ok({}), { outcome: "fail" }],
    [{ hint: "of the request" }, { status: 500, text: "" }, { hint: "of the request" }],
    [{ hint: "of the request" }, { problem: "invalid URL" }, { hint: expect.stringContaining("the address in .env") }],
    [{}, { problem: "ENOTFOUND" }, { hint: "no host has that name; see the address in .env" }],
    [{}, { problem: "ECONNREFUSED" }, { message: "GET / was not answered (ECONNREFUSED)", hint: "start it" }],
    [{ path: "/?key=${KEY}" }, { problem: "X" }, { message: "GET / was not answered (X)" }],
  ])("judges %j by the answer %j", async (request, answer, expected) => {
    const probe = {
      http: { url: "${URL}", requests: [{ path: "/", ...request }] },
      hints: { ECONNREFUSED: "start it" },
    };
    expect(await asked(probe, { request: async () => Promise.resolve(answer) })).toMatchObject(expected);
  });

  it("waits for what is stored later, and no longer than told, nor than six answers may take", async () => {
    const probe = (within: number): object => ({
      http: { url: "${URL}", requests: [{ path: "/", within, expect: { json: { n: 1 } } }] },
    });
    const late = server(ok({ n: 0 }), ok({ n: 0 }), ok({ n: 1 }));
    expect(await asked(probe(5), { request: late.request })).toMatchObject(PASS);
    expect(late.sent).toHaveLength(3);
    const never = server(ok({ n: 0 }));
    expect(await asked(probe(5), { request: never.request })).toMatchObject({
      message: "GET / was answered with another n than 1, for 5 seconds",
    });
    expect(never.sent).toHaveLength(11);
    const impatient = server(ok({ n: 0 }));
    await asked(probe(60), { request: impatient.request });
    expect(impatient.sent).toHaveLength(13);
  });

  it("sends a name and a password as the protocol has it", async () => {
    const { sent, request } = server(ok({}));
    await asked(
      { http: { url: "${URL}", headers: { authorization: "Basic a:${KEY}" }, requests: [{ path: "/" }] } },
      { request },
    );
    expect(sent[0]?.headers).toEqual({ authorization: `Basic ${Buffer.from("a:topsecret").toString("base64")}` });
  });

  it("is not sent where .env lacks a value", async () => {
    const { sent, request } = server(ok({}));
    expect(await asked({ http: { url: "${NOWHERE}", requests: [{ path: "/" }] } }, { request })).toMatchObject({
      outcome: "unknown",
      message: ".env does not set NOWHERE",
    });
    expect(sent).toEqual([]);
  });
});

describe("a probe over TCP", () => {
  it("passes when it connects, and says why not", async () => {
    const tcp = { host: "localhost", port: "80" };
    expect(await asked({ tcp }, { connects: async () => Promise.resolve(undefined) })).toMatchObject(PASS);
    expect(await asked({ tcp: { host: "x", port: "abc" } }, { connects: connectionProblem })).toMatchObject({
      message: "cannot be connected to (invalid port)",
    });
    expect(await asked({ tcp })).toMatchObject({ outcome: "fail", message: "cannot be connected to (ECONNREFUSED)" });
  });
});

describe("a probe by SQL", () => {
  const count = { sql: { url: "${URL}", statements: [{ query: "SELECT 1", value: "1", hint: "of the statement" }] } };

  it.each<[object, Awaited<ReturnType<ProbeContext["sql"]>>, Partial<Verdict>]>([
    [count, { values: ["1"] }, PASS],
    [count, { values: ["2"] }, { outcome: "fail", message: "SELECT 1 gave 2", hint: "of the statement" }],
    [count, { values: [undefined] }, { outcome: "fail", message: "SELECT 1 gave nothing" }],
    [count, { problem: "42501", message: "no", at: 0 }, { message: "no (42501)", hint: "of the statement" }],
    [
      { ...count, hints: { "28P01": "password" } },
      { problem: "28P01", message: "no", at: undefined },
      { hint: "password" },
    ],
    [{ sql: { url: "${URL}", refused: ["42501"] } }, { problem: "42501", message: "no", at: undefined }, PASS],
    [
      { sql: { url: "${URL}", refused: ["42501"] } },
      { problem: "28P01", message: "no", at: undefined },
      { outcome: "fail" },
    ],
    [
      { sql: { url: "${URL}", refused: ["42501"] } },
      { values: [] },
      { message: "the server accepted a role that it must refuse" },
    ],
  ])("judges %j by %j", async (probe, answer, expected) => {
    expect(await asked(probe, { sql: async () => Promise.resolve(answer) })).toMatchObject(expected);
  });
});

describe("a probe by a script", () => {
  it("runs beside the container, on its network, with its values in the environment", async () => {
    let got: { network: string; script: Script } | undefined;
    const verdict = await asked(
      { exec: { env: { PASSWORD: "${KEY}" }, script: "echo hello" } },
      {
        beside: async (_, network, script) => {
          got = { network, script };
          return Promise.resolve(docker({ text: "a\\nhello\n", printed: "first\nhello\n", failure: "none", code: 0 }));
        },
      },
    );
    expect(verdict).toEqual({ outcome: "pass", message: "hello", hint: "" });
    expect(got).toEqual({
      network: "app_internal",
      script: {
        text: "echo hello",
        env: { PASSWORD: "topsecret", PROBE_NAME: "probe_1", PROBE_ADDRESS: "172.20.0.2" },
        timeoutMs: 1000,
      },
    });
  });

  it.each<[Partial<DockerAnswer>, Partial<Verdict>]>([
    [
      { code: 1, printed: "it is broken\n" },
      { outcome: "fail", message: "it is broken", hint: "restart it" },
    ],
    [
      { code: 2, said: "oh" },
      { outcome: "fail", message: "oh", hint: "for two" },
    ],
    [{ code: 3 }, { outcome: "fail", message: "exit code 3" }],
    [{ code: 124 }, { outcome: "fail", message: "there was no answer in time" }],
    [
      { code: undefined, failure: "timeout" },
      { outcome: "fail", message: "there was no answer in time" },
    ],
    // Docker could not start it, or there is no such program: that says nothing about the service.
    [{ code: 125, said: "no such network" }, { outcome: "unknown" }],
    [{ code: 127, said: "sh: psql: not found" }, { outcome: "unknown" }],
    [{ code: undefined, failure: "missing" }, { outcome: "unknown" }],
    // A signal ended it: the client, and not the service.
    [{ code: 137 }, { outcome: "unknown" }],
  ])("judges %j", async (answer, expected) => {
    const probe = { exec: { script: "x" }, hints: { "2": "for two" } };
    expect(await asked(probe, { beside: async () => Promise.resolve(docker(answer)) })).toMatchObject(expected);
  });
});

describe("a probe of who can reach a service", () => {
  const reach = { reach: { script: 'connect "$HOST"' } };
  const fine = docker({ text: "", failure: "none", code: 0 });

  it.each<[string, DockerAnswer, DockerAnswer, Partial<Verdict>]>([
    ["nobody does", fine, docker({ printed: "tried\n", text: "tried\n", code: 0 }), PASS],
    ["no answer comes", fine, docker({ code: 124 }), PASS],
    [
      "somebody does",
      fine,
      docker({ printed: "reached 10.0.0.2\ntried\n", code: 0 }),
      { outcome: "fail", message: "can be reached from the network other_network, at 10.0.0.2" },
    ],
    ["it cannot be tried", fine, docker({ code: 125, said: "no such image" }), { outcome: "unknown" }],
    // Not reaching it from elsewhere would say nothing.
    ["it does not answer inside either", docker({}), docker({ printed: "tried\n" }), { outcome: "unknown" }],
  ])("when %s", async (_, inside, beside, expected) => {
    const changes = { inside: async () => Promise.resolve(inside), beside: async () => Promise.resolve(beside) };
    expect(await asked(reach, changes)).toMatchObject(expected);
  });

  it("does not take one attempt's word for it", async () => {
    const answers = ["reached 10.0.0.2\ntried\n", "tried\n"].map((printed) =>
      docker({ printed, text: printed, code: 0 }),
    );
    const changes = {
      inside: async () => Promise.resolve(fine),
      beside: async () => Promise.resolve(answers.shift() ?? docker({})),
    };
    expect(await asked(reach, changes)).toMatchObject({ outcome: "pass" });
    expect(answers).toEqual([]);
  });

  // A signal that ends the clients is no refusal.
  it("is unknown when its container is killed", async () => {
    const changes = {
      inside: async () => Promise.resolve(fine),
      beside: async () => Promise.resolve(docker({ code: 137 })),
    };
    expect(await asked(reach, changes)).toMatchObject({ outcome: "unknown" });
  });

  it("tries each address, which the script and what it starts find in HOST", async () => {
    let text = "";
    await ask(
      {
        spec: probeOf({ reach: { script: `sh -c '[ "$HOST" = 10.0.0.2 ]'` } }),
        container: container({
          networks: [
            { name: "a", address: "10.0.0.1" },
            { name: "b", address: "10.0.0.2" },
          ],
        }),
        network: "a",
      },
      context({
        beside: async (_, __, script) => {
          ({ text } = script);
          return Promise.resolve(fine);
        },
        inside: async () => Promise.resolve(fine),
      }),
    );
    const { stdout } = spawnSync("sh", ["-c", text], { encoding: "utf8" });
    expect(stdout).toBe("reached 10.0.0.2\ntried\n");
  });

  it("is not asked without another network", async () => {
    expect(await asked(reach, { elsewhere: undefined })).toMatchObject({ outcome: "unknown" });
  });
});

describe("running probes", () => {
  it("gives up one that hangs, and keeps the order of the others", async () => {
    const pass = { outcome: "pass", message: "", hint: "" } as const;
    const progress: string[] = [];
    const run = (id: string, work: () => Promise<Verdict>) => ({ id, service: "web", limitMs: 50, run: work });
    const results = await runProbes(
      [
        run("hangs", async () => new Promise(() => undefined)),
        run("slow", async () => new Promise((resolve) => setTimeout(() => resolve(pass), 5))),
        run("fast", async () => Promise.resolve(pass)),
        run("throws", async () => Promise.reject(new Error("secret"))),
      ],
      {
        limit: 2,
        now: () => 0,
        within: async (ms, work) =>
          Promise.race([work, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms))]),
        onDone: (done, all) => progress.push(`${String(done)}/${String(all)}`),
      },
    );
    expect(results.map(({ id, outcome }) => [id, outcome])).toEqual([
      ["hangs", "fail"],
      ["slow", "pass"],
      ["fast", "pass"],
      ["throws", "unknown"],
    ]);
    expect(progress).toEqual(["1/4", "2/4", "3/4", "4/4"]);
    expect(JSON.stringify(results)).not.toContain("secret");
  });
});
