import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";

import { planNew } from "../../../src/plan/plan.ts";
import { planDiff, showDiff } from "../../../src/report/diff.ts";
import { redact, redactEnv } from "../../../src/report/redact.ts";
import { Output, styled } from "../../../src/report/output.ts";
import { portAllocation } from "../../../src/render/port-table.ts";
import { memoryReport } from "../../../src/render/memory.ts";
import { fileTree, portLines } from "../../../src/report/preview.ts";
import { formatTable } from "../../../src/report/table.ts";
import { diskOf } from "../../helpers/disk.ts";
import { builtIn, specOf } from "../../helpers/catalogue.ts";

function captured(options: { json?: boolean; tty?: boolean; env?: NodeJS.ProcessEnv }): {
  out: Output;
  text: () => string;
} {
  const stream = Object.assign(new PassThrough(), { isTTY: options.tty ?? false });
  const out = new Output({ json: options.json ?? false, stdout: stream, stderr: stream, env: options.env ?? {} });
  return { out, text: () => String(stream.read() ?? "") };
}

describe("Output", () => {
  it.each<[string, { tty?: boolean; env?: NodeJS.ProcessEnv }, boolean]>([
    ["a terminal", { tty: true }, true],
    ["a pipe", { tty: false }, false],
    ["a terminal with NO_COLOR", { tty: true, env: { NO_COLOR: "1" } }, false],
    ["a terminal with an empty NO_COLOR", { tty: true, env: { NO_COLOR: "" } }, true],
    ["a dumb terminal", { tty: true, env: { TERM: "dumb" } }, false],
    ["a pipe with FORCE_COLOR", { tty: false, env: { FORCE_COLOR: "1" } }, true],
    ["FORCE_COLOR and NO_COLOR", { tty: true, env: { FORCE_COLOR: "1", NO_COLOR: "1" } }, false],
  ])("colours on %s: %j", (_, options, coloured) => {
    const { out, text } = captured(options);
    out.error("wrong", "fix it", []);
    expect(text().includes("\u001B[")).toBe(coloured);
  });

  it("shows control characters of a file or a name as escapes, and writes its own colours raw", () => {
    const { out, text } = captured({ tty: true });
    const hostile = "a\u001B[2Jb\u009B1mc\u0007\rd\u202Ee\u0000\nhint: f\tg";
    const shown = String.raw`a\u001b[2Jb\u009b1mc\u0007\u000dd\u202ee\u0000\u000ahint: f${"\t"}g`;
    out.line(hostile, " ", styled(hostile, "bold"));
    expect(text()).toBe(`${shown} \u001B[1m${shown}\u001B[22m\n`);
    out.note(hostile);
    expect(text()).toBe(`\u001B[36mnote\u001B[39m: ${shown}\n`);
    out.error(hostile, hostile, [hostile]);
    expect(text()).toBe(`\u001B[31merror\u001B[39m: ${shown}\n  ${shown}\n\u001B[36mhint\u001B[39m: ${shown}\n`);
    out.trace(Object.assign(new Error("x"), { stack: "Error: x\u001B[2J\n    at y" }));
    expect(text()).toBe(`${String.raw`Error: x\u001b[2J`}\n    at y\n`);
  });

  it("keeps raw control characters out of a JSON document without changing its values", () => {
    const { out, text } = captured({ json: true });
    const message = "a\u001B\u007F\u009B\u202E";
    out.document({ schemaVersion: 1, error: { code: "x", message, hint: null, details: [] } });
    const printed = text();
    expect(printed).not.toMatch(/(?!\n)\p{Cc}|\u202E/u);
    expect((JSON.parse(printed) as { error: { message: string } }).error.message).toBe(message);
  });

  it("prints one document with --json and no other line", () => {
    const { out, text } = captured({ json: true });
    out.line("hello");
    out.document({ schemaVersion: 1, ports: [] });
    out.document({ schemaVersion: 1, error: { code: "x", message: "m", hint: null, details: [] } });
    expect(JSON.parse(text())).toEqual({ schemaVersion: 1, ports: [] });
  });
});

describe("diff", () => {
  it("colours lines by what they are, shows control characters, and no carriage return of a CRLF file", () => {
    const { out, text } = captured({ tty: true });
    const plan = planNew("x", new Map([["a", { content: "one\r\ntwo\u001B[2J\r\n", mode: 0o644 }]]), "state\n");
    showDiff(plan, diskOf({}), { secrets: [], visible: new Set() }, out);
    const [bold, off] = ["\u001B[1m", "\u001B[22m"];
    expect(text().split("\n").slice(0, 5)).toEqual([
      `${bold}--- /dev/null${off}`,
      `${bold}+++ b/x/a${off}`,
      "\u001B[36m@@ -0,0 +1,2 @@\u001B[39m",
      "\u001B[32m+one\u001B[39m",
      `\u001B[32m${String.raw`+two\u001b[2J`}\u001B[39m`,
    ]);
  });

  it("shows no secret, neither the old nor the new", () => {
    const plan = planNew(
      "x",
      new Map([[".env", { content: "KEY=abcdef0123456789\nPORT=1\n", mode: 0o600 }]]),
      "state\n",
    );
    const text = planDiff(plan, diskOf({ ".env": "KEY=abcdef0123456789\n" }), {
      secrets: ["abcdef0123456789"],
      visible: new Set(["PORT"]),
    });
    expect(text).not.toContain("abcdef0123456789");
    expect(text).toContain("+PORT=1");
    expect(text).not.toContain(".scaffold");
  });

  it("hides a short secret where it stands by itself", () => {
    expect(redact("a=1, 10, x-1", ["1"])).toBe("a=[redacted], 10, x-[redacted]");
  });

  it.each([
    ["a URL", "postgresql://app:p%40ss%2Fw%C3%B6rd@db/x", "p@ss/wörd"],
    ["a URL in lower case", "postgresql://app:p%40ss%2fword@db/x", "p@ss/word"],
    ["doubled dollars", 'password: "pa$$$$w0rd"', "pa$$w0rd"],
    ["JSON and YAML", String.raw`password: "say \"friend\""`, 'say "friend"'],
    ["single quotes of YAML", "password: 'it''s mine'", "it's mine"],
    ["double quotes of .env", String.raw`X="it's \$9"`, "it's $9"],
    ["base64", `auth: ${Buffer.from("pk-1:sk-lf-12345").toString("base64")}`, "pk-1:sk-lf-12345"],
    ["one line of several", "key: |\n  MIIEvQIBADAN\n", "-----BEGIN-----\nMIIEvQIBADAN\n-----END-----"],
  ])("hides a secret in the form that it has in %s", (_, text, secret) => {
    const shown = redact(text, [secret]);
    expect(shown).toContain("[redacted]");
    for (const part of secret.match(/\w{3,}/g) ?? []) expect(shown).not.toContain(part);
  });

  it("hides in .env what is not known, in every line of a value, and what is commented out", () => {
    const text = [
      "# the server",
      "QDRANT_PORT=6333 # its port",
      'KEY="first',
      "SEKRET==",
      'last"',
      'KEY="again',
      'TWICE=2"',
      "# OLD_KEY=sk-1234",
      "# note: ask Ann",
      "just words",
      "EMPTY=",
      "OPEN='never",
      "CLOSED=x",
    ].join("\n");
    expect(redactEnv(text, new Set(["QDRANT_PORT"])).split("\n")).toEqual([
      "# the server",
      "QDRANT_PORT=6333 # its port",
      "KEY=[redacted]",
      "KEY=[redacted]",
      "# OLD_KEY=[redacted]",
      "# note:[redacted]",
      "[redacted]",
      "EMPTY=",
      "OPEN=[redacted]",
    ]);
  });
});

it("draws a tree with each directory once", () => {
  expect(fileTree("x", ["config/b", "a", "config/a/c"])).toEqual([
    "x/",
    "  a",
    "  config/",
    "    a/",
    "      c",
    "    b",
  ]);
});

it("lines columns up without trailing spaces", () => {
  expect(
    formatTable(
      ["A", "B"],
      [
        ["long", "x"],
        ["y", ""],
      ],
    ),
  ).toEqual(["A     B", "long  x", "y"]);
});

describe("for a spec", () => {
  it("adds the memory up and warns in plain words when it does not fit", async () => {
    const catalogue = await builtIn();
    const spec = await specOf({ name: "crewai" });
    const fits = memoryReport(spec, catalogue, 64 * 1024 ** 3);
    expect(fits).toEqual({
      line: "memory limits 11.5 GiB in total (profile small); this machine has 64 GiB",
      warning: undefined,
    });
    const many = memoryReport(spec, catalogue, 16 * 1024 ** 3, [spec, spec]).warning;
    expect(many).toContain("limits of all 3 frameworks here add up to 34.5 GiB, and this machine has 16 GiB");
    expect(memoryReport(spec, catalogue, 8 * 1024 ** 3).warning).toContain("take a smaller profile or fewer services");
  });

  it("shows how each published port is reached", async () => {
    expect(portLines(await specOf({ name: "dspy" }), await builtIn())).toEqual([
      "langfuse  http://localhost:3001",
      "postgres  postgresql://localhost:5433",
      "qdrant    http://localhost:6334/dashboard",
    ]);
  });

  it("writes the table of the seed, without anything of this host", async () => {
    const names = ["pydantic-ai", "crewai", "dspy", "pocketflow", "google-adk"];
    const text = portAllocation(await Promise.all(names.map(async (name) => specOf({ name }))), await builtIn());
    expect(text).toContain(
      "| crewai | 3000 | 5432 | 6333 |\n| dspy | 3001 | 5433 | 6334 |\n| google-adk | 3003 | 5435 | 6336 |\n| pocketflow | 3002 | 5434 | 6335 |\n| pydantic-ai | 3004 | 5436 | 6337 |\n",
    );
    expect(text).toContain("| CrewAI | 0 | 3000 | 5432 | 6333 |");
  });
});
