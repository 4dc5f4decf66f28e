import fs from "fs-extra";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { run } from "../helpers/cli.ts";
import { docker, engineProblem, Stack } from "../helpers/engine.ts";
import { leftOut } from "../helpers/left-out.ts";
import { Workspace } from "../helpers/project-dir.ts";
import { pythonWith } from "../helpers/python.ts";
import { newTempDir, removeDir } from "../helpers/temp.ts";

const MEGABYTE = 1_000_000;

/** What Docker keeps of container logs, and the trace IDs of OpenTelemetry's own SDK. */
describe.skipIf(engineProblem() !== undefined)("logs on a real engine", () => {
  let work: Workspace;
  let stack = new Stack("");

  beforeAll(async () => {
    work = await new Workspace(newTempDir()).make("chatty", "postgres");
    stack = new Stack(work.path("chatty"));
    stack.useTestImages();
  });

  afterAll(async () => {
    await stack.remove();
    removeDir(work.cwd);
  });

  /** Bytes on disk of the log of a container that has written `megabytes`. */
  async function sizeAfter(megabytes: number): Promise<number> {
    const write = `yes "$(printf '%01000d' 7)" | head -c ${String(megabytes * MEGABYTE)}`;
    const name = "chatty_writer";
    await stack.ok("run", "-d", "--no-deps", "--name", name, "--entrypoint", "sh", "postgres", "-c", write);
    try {
      expect((await docker("wait", name)).trim()).toBe("0");
      const id = (await docker("inspect", "-f", "{{.Id}}", name)).trim();
      const root = join((await docker("info", "-f", "{{.DockerRootDir}}")).trim(), "containers", id);
      const files = fs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.includes(".log"));
      return files.reduce((sum, path) => sum + fs.statSync(join(root, path)).size, 0);
    } finally {
      await docker("rm", "-f", name);
    }
  }

  it.each(["local", "json-file"])("%s: 200 MB of output stay within what framework.yaml says", async (driver) => {
    const spec = join(stack.dir, "framework.yaml");
    const text = fs.readFileSync(spec, "utf8");
    fs.writeFileSync(
      spec,
      text.replace(/driver: (?:local|json-file)\n {2}maxSize: \w+\n/, `driver: ${driver}\n  maxSize: 2m\n`),
    );
    await work.ok("regenerate", "chatty");
    expect(await stack.ok("config")).toContain(`driver: ${driver}`);
    const size = await sizeAfter(200);
    // Three files; a rotation comes after the line that fills one.
    expect(size).toBeLessThan(3 * 2 * 1024 * 1024 + 200_000);
    expect(size).toBeGreaterThan(MEGABYTE);
  });

  it("puts the trace and span of OpenTelemetry's SDK into a record, in threads and tasks too", async () => {
    const python = pythonWith("yaml");
    const packages = join(process.env["FRAMEWORK_INFRA_TEST_ENGINE"] ?? "", "opentelemetry");
    if (python === undefined) {
      leftOut("records inside OpenTelemetry spans", "python3 with PyYAML");
      return;
    }
    const program = `
import asyncio, json, logging, threading
from config.json_logging import configure
configure()
logging.info("before it is loaded")
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
tracer = trace.get_tracer("test")
log = logging.getLogger("agents")
log.info("outside")
async def work(name):
    with tracer.start_as_current_span(name) as span:
        await asyncio.sleep(0.01)
        context = span.get_span_context()
        log.info(name, extra={"expected": [format(context.trace_id, "032x"), format(context.span_id, "016x"), int(context.trace_flags)]})
async def both():
    await asyncio.gather(work("one"), work("two"))
asyncio.run(both())
thread = threading.Thread(target=lambda: asyncio.run(work("three")))
thread.start(); thread.join()
log.info("outside again")
`;
    const { code, stdout, stderr } = await run(python, ["-c", program], {
      cwd: stack.dir,
      env: { PYTHONPATH: packages },
    });
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map(
        (line) =>
          JSON.parse(line) as {
            Body: string;
            TraceId?: string;
            SpanId?: string;
            TraceFlags?: number;
            Attributes: { expected?: unknown[] };
          },
      );
    expect(lines.map(({ Body }) => Body).toSorted()).toEqual(
      ["before it is loaded", "one", "outside", "outside again", "three", "two"].toSorted(),
    );
    for (const { TraceId, SpanId, TraceFlags, Attributes } of lines)
      expect([TraceId, SpanId, TraceFlags]).toEqual(Attributes.expected ?? [undefined, undefined, undefined]);
    expect(lines.filter(({ TraceId }) => TraceId !== undefined)).toHaveLength(3);
  });
});
