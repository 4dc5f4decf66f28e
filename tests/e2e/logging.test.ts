import fs from "fs-extra";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { CASES } from "../golden/cases.ts";
import { run, type Outcome } from "../helpers/cli.ts";
import { emit } from "../helpers/emit.ts";
import { leftOut } from "../helpers/left-out.ts";
import { pythonWith } from "../helpers/python.ts";

const python = pythonWith("yaml");
const LOADED = "from config.json_logging import configure\nconfigure()\nimport logging, os, sys, threading\n";

interface Entry {
  Body: string;
  SeverityText: string;
  SeverityNumber: number;
  Attributes: Record<string, unknown>;
  Resource: Record<string, unknown>;
  InstrumentationScope: { Name: string };
  TraceId?: string;
  SpanId?: string;
}

const entries = (text: string): Entry[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);

/** Runs a Python program in a framework's directory. */
async function runIn(dir: string, program: string, env: Record<string, string> = {}): Promise<Outcome> {
  return run(python ?? "", ["-c", program], { cwd: dir, env: { PYTHONIOENCODING: "utf-8", ...env } });
}

/** What a program logs that configures logging first. */
async function logged(program: string, env: Record<string, string> = {}, dir?: string): Promise<Entry[]> {
  const { code, stdout, stderr } = await runIn(dir ?? (await emit("crewai")), LOADED + program, env);
  expect([code, stderr]).toEqual([0, ""]);
  return entries(stdout);
}

if (python === undefined) leftOut("running config/json_logging.py", "python3 with PyYAML");

describe.skipIf(python === undefined)("config/logging.yaml", () => {
  it("loads with dictConfig alone and writes one JSON object a line, by the OpenTelemetry names", async () => {
    const program = `
import logging, logging.config, sys, yaml
logging.config.dictConfig(yaml.safe_load(open("config/logging.yaml")))
log = logging.getLogger("agents.research")
log.debug("not shown")
log.info("a\\nb %s", '"quoted"', extra={"user": {"id": 1}, "trace_id": "0af7651916cd43dd8448eb211c80319c"})
log.warning("odd", extra={"loss": float("nan"), "pairs": {(1, 2): {3}}, "thing": object}, stack_info=True)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("it failed")
`;
    const { code, stdout, stderr } = await runIn(await emit("crewai"), program);
    expect([code, stderr]).toEqual([0, ""]);
    const lines = entries(stdout);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatchObject({
      Timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      SeverityText: "INFO",
      SeverityNumber: 9,
      Body: 'a\nb "quoted"',
      TraceId: "0af7651916cd43dd8448eb211c80319c",
      Attributes: { user: { id: 1 } },
      Resource: { "service.name": "crewai" },
      InstrumentationScope: { Name: "agents.research" },
    });
    expect(lines[1]).toMatchObject({
      Attributes: { loss: "nan", pairs: { "(1, 2)": [3] }, "code.stacktrace": expect.stringContaining("Stack (most") },
    });
    expect(lines[2]).toMatchObject({
      SeverityNumber: 17,
      Attributes: {
        "exception.type": "ZeroDivisionError",
        "exception.stacktrace": expect.stringContaining("division by zero"),
      },
    });
  });

  it.each(Object.keys(CASES))(
    "%s: a thousand records of every level parse back, one a line, without a secret",
    async (name) => {
      const dir = await emit(name);
      fs.writeFileSync(join(dir, ".env"), "POSTGRES_PASSWORD=correct-horse-battery-staple\n");
      const program = `
log = logging.getLogger("agents")
odd = ["plain", "two\\nlines\\r\\n", "\\u2028\\u2029\\x85\\x00\\x1b[31m", "\\ud800 half", "日本 🎉 \\"quoted\\"", "{}%s", "x" * 3000]
secret = "correct-horse-battery-staple"
hidden = [secret, "sk-or-v1-" + "a" * 40, "postgresql://me:hunter22@db/x", "Authorization: Bearer abcdefgh12345",
          'api_key="hunter22"', "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.hunter22"]
for number in range(1000):
    text, leak = odd[number % len(odd)], hidden[number % len(hidden)]
    level = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)[number % 5]
    try:
        raise RuntimeError(text + leak)
    except RuntimeError:
        log.log(level, "%d %s %s", number, text, leak, exc_info=number % 3 == 0,
                extra={"given": [leak, {"password": "hunter22"}], "text": text, "apiKey": "hunter22", "max_tokens": 7})
`;
      const { code, stdout, stderr } = await runIn(dir, LOADED + program, { LOG_LEVEL: "DEBUG" });
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout.trimEnd().split(/\r\n|[\n\r\u0085\u2028\u2029]/)).toHaveLength(1000);
      for (const secret of ["correct-horse", "hunter22", "aaaaaaaaaaaaaaaaaaaa", "abcdefgh12345"])
        expect(stdout.includes(secret), secret).toBe(false);
      const records = entries(stdout);
      expect(new Set(records.map(({ SeverityNumber }) => SeverityNumber))).toEqual(new Set([5, 9, 13, 17, 21]));
      expect(records[2]?.Attributes["text"]).toBe("\u2028\u2029\u0085\u0000\u001B[31m");
      expect(records[4]?.Body).toContain('日本 🎉 "quoted"');
      expect(records[3]?.Attributes).toMatchObject({
        given: [expect.stringContaining("[redacted]"), { password: "[redacted]" }],
        apiKey: "[redacted]",
        max_tokens: 7,
        "exception.stacktrace": expect.stringContaining("RuntimeError"),
      });
    },
  );

  it("redacts by name and by shape, and leaves ordinary text alone", async () => {
    const ordinary = [
      "used 120 tokens; max_tokens=400, total_tokens: 520",
      "the secret of good soup is patience",
      "see https://example.com:8080/path?page=2 and mailto:me@example.com",
      "sha256:4b825dc642cb6eb9a060e54bf8d69288fbee4904 task-skill-basic",
      "basic idea: bearer of news",
      "Basic authentication required, bearer certificates accepted",
      "unexpected token: EOF",
      "http://localhost:3000?u=me@example.com and http://h:8080,foo@bar.com",
      "basalt: rock, bypass=1, compass: north",
      "role postgresql is not postgres",
    ];
    const program = `
import json
for text in json.loads(os.environ["TEXTS"]):
    logging.info("%s", text)
logging.info("by name", extra={"DB_PASSWORD": "a", "x-auth-token": "b", "clientSecret": ["c"], "public_key": "shown",
             "tokens": 3, "prompt_token": 7, "PGPASSWORD": "e", "api_keys": ["f"], "secretary": "shown", "password_set": True, "nested": {"Set-Cookie": "d", "empty": None}})
`;
    const lines = await logged(program, { TEXTS: JSON.stringify(ordinary) });
    expect(lines.slice(0, -1).map(({ Body }) => Body)).toEqual(ordinary);
    expect(lines.at(-1)?.Attributes).toMatchObject({
      DB_PASSWORD: "[redacted]",
      "x-auth-token": "[redacted]",
      clientSecret: "[redacted]",
      public_key: "shown",
      tokens: 3,
      prompt_token: 7,
      PGPASSWORD: "[redacted]",
      api_keys: "[redacted]",
      secretary: "shown",
      password_set: true,
      nested: { "Set-Cookie": "[redacted]", empty: null },
    });
  });

  it("redacts secrets in texts, in quotes or not, whole or cut off, once", async () => {
    const texts = [
      'response: {"api_key": "hunter2-hunter2',
      '{"password": "ab\\"hunter2"}, next',
      "secret='it\\'s hunter2'",
      String.raw`{"body": "{\"token\": \"hunter2\"}"}`,
      "Authorization: Bearer 12|hunter2",
      "Authorization: Token hunter2",
      'Authorization: Digest username="me", response="hunter2"',
      "Cookie: session=hunter2; csrf=hunter2",
      "LANGFUSE_SALT=hunter2 credentials=hunter2 signing_key=hunter2",
      "curl -H 'Authorization: Basic aHVudGVyMjpodW50ZXIy'",
      "sent Bearer hunter2-and-more",
    ];
    const program = `
import json
for text in json.loads(os.environ["TEXTS"]):
    logging.info("%s", text)
logging.info("headers", extra={"headers": [("x-api-key", "hunter2"), ("accept", "*/*")], "pool": {"sk-hunter2hunter2hunter2": 1}})
logging.info("password=%s", os.environ["PGPASSWORD"])
`;
    const lines = await logged(program, { TEXTS: JSON.stringify(texts), PGPASSWORD: "correct horse battery" });
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|aHVudGVy|horse/);
    expect(lines[1]?.Body).toBe('{"password": [redacted]}, next');
    expect(lines.at(-2)?.Attributes["headers"]).toEqual([
      ["x-api-key", "[redacted]"],
      ["accept", "*/*"],
    ]);
    expect(lines.at(-1)?.Body).toBe("password=[redacted]");
  });

  it("knows the secrets of .env as Compose reads it, also where the process has another value", async () => {
    const dir = await emit("crewai");
    const env = [
      "POSTGRES_PASSWORD=correct-horse # rotate",
      'API_KEY="battery staple" # c',
      "export DB_PASSWORD=hunter2hunter2",
      "LOG_LEVEL=DEBUG # for now",
      "ODD=\xff",
    ];
    fs.writeFileSync(join(dir, ".env"), Buffer.from(`${env.join("\n")}\n`, "latin1"));
    const program = `logging.debug("correct-horse, battery staple, hunter2hunter2, %s", os.path.join(os.getcwd(), "app.py"))`;
    const paths = { PWD: dir, APP_CREDENTIALS: join(dir, "README.md") };
    const [line] = await logged(program, { DB_PASSWORD: "", ...paths }, dir);
    expect(line?.Body).toBe(`[redacted], [redacted], [redacted], ${join(dir, "app.py")}`);
  });

  // A search that goes back and forth would take hours.
  it("comes to an end on long texts that nearly match", async () => {
    const program = `
from config.redaction import redact
for piece in ["a-", "://", "://a:", "token=", "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "secret :   ", "eyJaaaaaaaa-", "password=\\"", "Cookie: ", "\\"", "sk-"]:
    redact(piece * 200000)
logging.info("done")
`;
    expect((await logged(program))[0]?.Body).toBe("done");
  });

  it("writes to an output that is not UTF-8", async () => {
    const [line] = await logged('logging.info("日本 é")', { PYTHONIOENCODING: "ascii" });
    expect(line?.Body).toBe("日本 é");
  });

  it("never loses a record, whatever is attached", async () => {
    const program = `
class Gone:
    @property
    def __class__(self): raise RuntimeError("outside of a request")
class Closed(dict):
    def items(self): raise OSError("closed")
class Mute:
    def __str__(self): raise ValueError("no")
    __repr__ = __str__
class Failure(Exception):
    def __str__(self): raise ValueError("no")
ring = {}
ring["self"] = ring
logging.info("ring", extra={"ring": ring, "mute": Mute(), "bytes": b"\\xff",
    "gone": Gone(), "closed": Closed(a=1), "large": 10**5000})
root = {"children": []}
root["children"] = [{"name": str(number), "parent": root} for number in range(300)]
logging.info("tree", extra={"node": root})
logging.info("long", extra={"list": list(range(5000)), "map": dict.fromkeys(range(5000)), "text": "x" * 100000})
logging.getLogger().handle(logging.makeLogRecord({"levelno": 20, "levelname": "INFO", "msg": "raw", "exc_info": True}))
logging.getLogger().handle(logging.makeLogRecord({"levelno": 20, "levelname": "INFO", "msg": "sent", "exc_text": "Traceback: x"}))
logging.info("%d apples", "many")
logging.info("%s", Mute())
try:
    raise Failure()
except Failure:
    logging.exception("failed")
`;
    const lines = await logged(program);
    expect(lines.map(({ Body }) => Body)).toEqual([
      "ring",
      "tree",
      "long",
      "raw",
      "sent",
      "%d apples ('many',)",
      expect.stringContaining("%s"),
      "failed",
    ]);
    expect(lines[0]?.Attributes).toMatchObject({
      ring: { self: "<dict that holds this>" },
      mute: "<Mute>",
      bytes: String.raw`b'\xff'`,
      gone: "<Gone>",
      closed: "<Closed>",
      large: "<int>",
    });
    for (const line of lines) expect(JSON.stringify(line).length).toBeLessThan(60_000);
    const long = lines[2]?.Attributes;
    // The record itself is a value as well.
    expect(long?.["list"]).toEqual([...Array.from({ length: 999 }, (_, index) => index), "... 4001 more"]);
    expect(long?.["map"]).toBe("<dict of 5000>");
    expect(long?.["text"]).toBe(`${"x".repeat(32_768)}... (100000 characters)`);
    expect(lines[4]?.Attributes["exception.stacktrace"]).toBe("Traceback: x");
    expect(lines[7]?.Attributes).toMatchObject({ "exception.type": "Failure", "exception.message": "<Failure>" });
  });
});

describe.skipIf(python === undefined)("configure()", () => {
  it("takes levels from the environment, and else from .env", async () => {
    const dir = await emit("crewai");
    fs.writeFileSync(join(dir, ".env"), 'LOG_LEVEL=error\nLOG_LEVELS="chatty=CRITICAL, agents=debug"\n');
    const program = `
for name in ("root", "chatty", "agents"):
    for level in (10, 20, 40, 50):
        logging.getLogger(name if name != "root" else None).log(level, f"{name} {level}")
`;
    const bodies = async (env: Record<string, string>): Promise<string[]> =>
      (await logged(program, env, dir)).map(({ Body }) => Body);
    const agents = ["agents 10", "agents 20", "agents 40", "agents 50"];
    expect(await bodies({})).toEqual(["root 40", "root 50", "chatty 50", ...agents]);
    expect(await bodies({ LOG_LEVEL: "INFO", LOG_LEVELS: "agents=CRITICAL" })).toEqual([
      "root 20",
      "root 40",
      "root 50",
      "chatty 20",
      "chatty 40",
      "chatty 50",
      "agents 50",
    ]);
  });

  it.each([{ LOG_LEVEL: "chatty" }, { LOG_LEVELS: "httpx" }])("says which level is wrong: %o", async (env) => {
    const { code, stderr } = await runIn(await emit("crewai"), LOADED, env);
    const [name = ""] = Object.keys(env);
    expect(code).toBe(1);
    expect(stderr).toContain(`ValueError: ${name}: `);
    expect(stderr).toContain("is not a level; use DEBUG, INFO, WARNING, ERROR or CRITICAL");
  });

  it("works from any working directory, with the package on PYTHONPATH", async () => {
    const dir = await emit("crewai");
    const { code, stdout } = await run(python ?? "", ["-c", `${LOADED}logging.info("here")`], {
      cwd: "/",
      env: { PYTHONPATH: dir },
    });
    expect([code, entries(stdout)[0]?.Body]).toEqual([0, "here"]);
  });

  it("writes LOG_FILE as well, for its owner only, and rotates it by size", async () => {
    const dir = await emit("crewai");
    const settings = join(dir, "config/logging.yaml");
    fs.writeFileSync(settings, fs.readFileSync(settings, "utf8").replace(/maxBytes: \d+/, "maxBytes: 20000"));
    const program = `
for number in range(500):
    logging.info("number %d", number)
`;
    const shown = await logged(program, { LOG_FILE: "logs/deep/app.jsonl" }, dir);
    expect(shown).toHaveLength(500);
    const files = fs.readdirSync(join(dir, "logs/deep")).toSorted();
    expect(files).toEqual(["app.jsonl", "app.jsonl.1", "app.jsonl.2"]);
    for (const file of files) {
      const { size, mode } = fs.statSync(join(dir, "logs/deep", file));
      expect(size).toBeLessThanOrEqual(20_000);
      expect(mode & 0o777).toBe(0o600);
    }
    const kept = files.toReversed().flatMap((file) => entries(fs.readFileSync(join(dir, "logs/deep", file), "utf8")));
    expect(kept).toEqual(shown.slice(-kept.length));
  });

  it("makes records of warnings and of what nothing catches, in threads too", async () => {
    const dir = await emit("crewai");
    const program = `
import warnings
warnings.warn("old")
def work(): raise KeyError("in a thread")
thread = threading.Thread(target=work, name="worker")
thread.start(); thread.join()
class Bad:
    def __del__(self): raise ValueError("in a clean-up")
Bad()
raise RuntimeError("at the end: password=hunter22")
`;
    const { code, stdout, stderr } = await runIn(dir, LOADED + program);
    expect([code, stderr]).toEqual([1, ""]);
    const lines = entries(stdout);
    expect(lines.map(({ InstrumentationScope, SeverityText }) => [InstrumentationScope.Name, SeverityText])).toEqual([
      ["py.warnings", "WARNING"],
      ["uncaught", "CRITICAL"],
      ["uncaught", "ERROR"],
      ["uncaught", "CRITICAL"],
    ]);
    expect(lines.map(({ Body }) => Body).slice(1)).toEqual([
      "uncaught exception in thread worker",
      expect.stringMatching(/xception ignored.* Bad\.__del__$/),
      "uncaught exception",
    ]);
    expect(lines[3]?.Attributes["exception.message"]).toBe("at the end: password=[redacted]");
  });

  it("leaves Ctrl-C to Python", async () => {
    const { stdout, stderr } = await runIn(await emit("crewai"), `${LOADED}raise KeyboardInterrupt`);
    expect(stdout).toBe("");
    expect(stderr).toContain("KeyboardInterrupt");
  });

  it("says where a program runs, by OpenTelemetry's own variables", async () => {
    const [line] = await logged('logging.info("x")', {
      OTEL_SERVICE_NAME: "researcher",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=production, service.version=1.2",
    });
    expect(line?.Resource).toEqual({
      "service.name": "researcher",
      "deployment.environment.name": "production",
      "service.version": "1.2",
    });
  });
});
