import fs from "fs-extra";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";

import { runAsked } from "../../../generators/generator.ts";
import { Interview } from "../../../generators/interview.ts";
import type { Question } from "../../../generators/question.ts";
import { create } from "../../../src/flow/create.ts";
import type { Place } from "../../../src/flow/place.ts";
import { UserError } from "../../../src/lib/errors.ts";
import { Output } from "../../../src/report/output.ts";
import type { Request } from "../../../src/spec/schema.ts";
import { builtIn } from "../../helpers/catalogue.ts";
import { placeAt } from "../../helpers/place.ts";
import { tempDir } from "../../helpers/temp.ts";
import { needTablePorts } from "../../helpers/table-ports.ts";

await needTablePorts();

const catalogue = await builtIn();
const nothing: Request = { draft: {}, ports: new Map() };

/** By the beginning of a question: for each time it is asked, what is typed until something is taken. */
type Script = Record<string, unknown[][]>;

/** A question that the script does not know is answered with Enter: its default. */
async function interview(where: Place, script: Script, given = nothing, refusal?: UserError) {
  const queue = new Map(Object.entries(script).map(([start, visits]) => [start, [...visits]]));
  const asked: string[] = [];
  const refused: string[] = [];
  const stream = new PassThrough();
  const out = new Output({ json: false, stdout: stream, stderr: stream, env: {} });
  const ask = async (question: Question): Promise<unknown> => {
    asked.push(question.message);
    const visits = [...queue].find(([start]) => question.message.startsWith(start))?.[1];
    for (const answer of visits?.shift() ?? [usual(question)]) {
      const verdict = (await question.validate?.(answer)) ?? true;
      if (verdict === true) return answer;
      refused.push(verdict);
    }
    throw new Error(`no answer to "${question.message}" was taken: ${refused.join("; ")}`);
  };
  const talk = new Interview({ ...given, place: where, dry: false }, out, ask);
  const request = await (refusal === undefined ? talk.run() : talk.again(refusal));
  return { request, asked, refused, shown: String(stream.read() ?? "") };
}

function usual(question: Question): unknown {
  if (question.type === "checkbox")
    return question.choices?.filter((choice) => choice.checked === true).map((choice) => choice.value);
  return question.default ?? question.choices?.[0]?.value ?? "";
}

function place(root = tempDir()): Place {
  return placeAt(root, catalogue);
}

describe("an answer that is changed", () => {
  it("takes with it what was said of a service that is not chosen any more", async () => {
    const here = place();
    const { request } = await interview(here, {
      "Langfuse:": [["url"]],
      "URL of Langfuse:": [["https://langfuse.example"]],
      "Write ": [["change"], ["write"]],
      "Which one?": [["services"]],
      "Services:": [[["langfuse", "qdrant"]], [["qdrant"]]],
    });
    expect(request?.draft).toMatchObject({ services: ["qdrant"], external: {} });
  });

  it("is asked with the one before it as the default, and counts in what follows", async () => {
    const { request, shown } = await interview(place(), {
      "Services:": [[["postgres", "qdrant"]], [["postgres"]]],
      "Name of its directory:": [["first"], ["second"]],
      "Host port of Qdrant:": [["20911"]],
      "Write ": [["change"], ["change"], ["write"]],
      "Which one?": [["name"], ["services"]],
    });
    expect(request?.draft).toMatchObject({ name: "second", services: ["postgres"] });
    expect([...(request?.ports.keys() ?? [])]).toEqual(["postgres"]);
    expect(shown).toContain("second/");
  });

  it("does not offer in the stack what a flag has put outside of it", async () => {
    const external = { langfuse: { mode: "external" as const, host: "https://langfuse.example" } };
    const { request, asked } = await interview(place(), {}, { draft: { name: "crewai", external }, ports: new Map() });
    expect(request?.draft).toMatchObject({ services: ["postgres", "qdrant"], external });
    expect(asked.some((message) => message.startsWith("Langfuse"))).toBe(false);
  });
});

describe("a port that is taken between the preview and the write", () => {
  const given: Request = {
    draft: { name: "crewai", services: ["postgres", "qdrant"] },
    ports: new Map([
      ["postgres", 20_921],
      ["qdrant", 20_922],
    ]),
  };

  it("is asked for again, alone, and everything else stays", async () => {
    const here = place();
    await create({
      draft: { name: "dspy", services: ["qdrant"] },
      ports: new Map([["qdrant", 20_922]]),
      place: here,
      dry: false,
    });
    const refusal: unknown = await create({ ...given, place: here, dry: false }).catch((error: unknown) => error);
    if (!(refusal instanceof UserError)) throw refusal;
    const { request, asked } = await interview(here, { "Host port of Qdrant:": [["20922", "20923"]] }, given, refusal);
    expect(asked).toEqual(["Host port of Qdrant:", "Write frameworks/crewai?"]);
    expect(Object.fromEntries(request?.ports ?? [])).toEqual({ postgres: 20_921, qdrant: 20_923 });
  });

  it("is the only refusal that is asked about", async () => {
    const other = new UserError("no space", { code: "io", exit: 1, hint: "make room" });
    await expect(interview(place(), {}, given, other)).rejects.toBe(other);
    const asked: string[] = [];
    const generator = {
      run: async (request: number): Promise<number> => {
        asked.push(`run ${String(request)}`);
        if (request === 1) throw other;
        return Promise.resolve(request);
      },
      again: async (): Promise<number> => Promise.resolve(2),
    };
    const out = new Output({ json: false, stdout: new PassThrough(), stderr: new PassThrough(), env: {} });
    expect(await runAsked(generator, 1, async () => Promise.resolve(""), out)).toBe(2);
    expect(asked).toEqual(["run 1", "run 2"]);
  });
});

describe("the interview", () => {
  it("takes every default with Enter alone", async () => {
    const { request, asked, shown } = await interview(place(), {});
    expect(request?.draft).toMatchObject({
      name: "crewai",
      preset: "crewai",
      services: ["langfuse", "postgres", "qdrant"],
      images: "pinned",
      profile: "small",
    });
    expect(request?.ports.size).toBe(0);
    expect(asked.map((message) => message.split(/[:(?]/, 1)[0]?.trim())).toEqual([
      "Which framework is it for",
      "Name of its directory",
      "Description, one line",
      "Services",
      "Langfuse",
      "Host port of Langfuse",
      "Host port of PostgreSQL",
      "Host port of Qdrant",
      "Image versions",
      "Resource limits",
      "Write frameworks/crewai",
    ]);
    expect(shown).toContain("compose.yaml");
    expect(shown).toContain("http://localhost:6333/dashboard");
    expect(shown).toMatch(/memory limits 11\.5 GiB in total \(profile small\); this machine has/);
  });

  it("checks a name where it is typed", async () => {
    const here = place();
    fs.outputFileSync(join(here.root, "mine", "x"), "x");
    const { request, refused } = await interview(here, {
      "Which framework": [["custom"]],
      "Name of": [["", "../x", "Crew", "con", "postgres", "mine", "ok"]],
    });
    expect(request?.draft.name).toBe("ok");
    expect(refused).toHaveLength(6);
    expect(refused.at(-1)).toContain("not a framework made by this program");
  });

  it("checks a port where it is typed: form, other frameworks, this host, twice the same", async () => {
    const here = place();
    await create({ draft: { name: "dspy" }, ports: new Map(), place: here, dry: false });
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => {
      server.close();
    });
    const busy = String((server.address() as AddressInfo).port);
    const { request, refused } = await interview(here, {
      "Host port of Langfuse": [["20500"]],
      "Host port of Qdrant": [["", "0", "70000", "12abc", "1e3", "6334", busy, "20500", "20501"]],
    });
    expect(refused.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => "a whole number from 1 to 65535"));
    expect(refused[5]).toContain(
      "port 6334 for qdrant is held by qdrant of dspy (frameworks/dspy/framework.yaml); nearest free: 633",
    );
    expect(refused[6]).toContain("a program that listens on this host");
    expect(refused[7]).toContain("given to two services");
    expect(request?.ports).toEqual(
      new Map([
        ["langfuse", 20_500],
        ["postgres", 5432],
        ["qdrant", 20_501],
      ]),
    );
  });

  it("refuses an empty selection, and leaves Langfuse's questions out where it is not chosen", async () => {
    const { request, asked, refused } = await interview(place(), { Services: [[[], ["qdrant"]]] });
    expect(refused).toEqual(["choose at least one, with the space bar"]);
    expect(request?.draft.services).toEqual(["qdrant"]);
    expect(asked.join()).not.toContain("Langfuse:");
  });

  it("offers the Langfuse of a sibling", async () => {
    const here = place();
    await create({ draft: { name: "dspy" }, ports: new Map(), place: here, dry: false });
    const { request, asked } = await interview(here, { "Langfuse:": [["http://localhost:3001"]] });
    expect(request?.draft.external?.["langfuse"]).toEqual({ mode: "external", host: "http://localhost:3001" });
    expect(asked).not.toContain("Host port of Langfuse:");
  });

  it("asks for a URL and checks it", async () => {
    const { request, refused } = await interview(place(), {
      "Langfuse:": [["url"]],
      "URL of Langfuse": [["nope", "http://u:p@x", "https://langfuse.example"]],
    });
    expect(refused).toHaveLength(2);
    expect(request?.draft.external?.["langfuse"]?.host).toBe("https://langfuse.example");
  });

  it("changes an answer at the end, and nothing else", async () => {
    const { request } = await interview(place(), {
      "Write ": [["change"], ["write"]],
      "Which one?": [["profile"]],
      "Resource limits": [["small"], ["large"]],
    });
    expect(request?.draft).toMatchObject({ name: "crewai", profile: "large", images: "pinned" });
  });

  it("writes nothing when it is not wanted", async () => {
    const here = place();
    const { request } = await interview(here, { "Write ": [["cancel"]] });
    expect(request).toBeUndefined();
    expect(fs.readdirSync(here.root)).toEqual([]);
  });

  it("does not ask what flags have said", async () => {
    const given: Request = {
      draft: { name: "crewai", images: "latest", profile: "medium", services: ["qdrant"], description: "x" },
      ports: new Map(),
    };
    const { request, asked } = await interview(place(), {}, given);
    expect(asked).toEqual(["Host port of Qdrant:", "Write frameworks/crewai?"]);
    expect(request?.draft).toMatchObject(given.draft);
  });

  it("refuses what flags said before the first question", async () => {
    for (const draft of [{ name: "../x" }, { services: ["nope"] }, { preset: "nope" }]) {
      await expect(interview(place(), {}, { draft, ports: new Map() })).rejects.toThrow(/not a/);
    }
  });

  it("asks again for a typed port that is taken by the time it is looked at", async () => {
    const here = place();
    await create({ draft: { name: "dspy" }, ports: new Map(), place: here, dry: false });
    const given: Request = { draft: { name: "crewai", services: ["qdrant"] }, ports: new Map([["qdrant", 6334]]) };
    const { request, shown } = await interview(here, {}, given);
    expect(shown).toContain("port 6334 for qdrant is held by qdrant of dspy");
    expect(request?.ports).toEqual(new Map());
  });

  it("suggests another name when the preset's own is taken", async () => {
    const here = place();
    await create({ draft: { name: "crewai" }, ports: new Map(), place: here, dry: false });
    expect((await interview(here, {})).request?.draft.name).toBe("crewai-2");
  });
});
