// STAND-IN for SeaweedFS' `weed`: `mini` (S3 with real signatures, a master
// port) and `shell` (three bucket commands). Nothing of its storage engine.
import { endOnSignals, fatal, log } from "../lib/log.mjs";
import { acceptOnly, send, sendJson, serve } from "../lib/http.mjs";
import { Buckets } from "./buckets.mjs";
import { createS3 } from "./s3.mjs";
import { runShell, serveShell } from "./shell.mjs";

process.env.STAND_IN_NAME = "seaweedfs";
const BOOLEAN = new Set(["master.telemetry", "webdav", "admin.ui"]);
const VALUED = new Set([
  "dir",
  "ip",
  "ip.bind",
  "s3.port",
  "s3.port.iceberg",
  "master.volumeSizeLimitMB",
  "volume.max",
  "metricsPort",
  "bucket",
]);

/** Go's flag syntax: -name=value or -name value; booleans only with "=". */
function flagsOf(args, booleans, valued) {
  const flags = {};
  for (let at = 0; at < args.length; at += 1) {
    const match = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(args[at]);
    if (!match) return { error: `unexpected argument: ${args[at]}` };
    const [, name, value] = match;
    if (booleans.has(name)) {
      if (!["true", "false", undefined].includes(value))
        return { error: `invalid boolean value "${value}" for -${name}` };
      flags[name] = value ?? "true";
    } else if (valued.has(name)) {
      flags[name] = value ?? args[++at];
      if (flags[name] === undefined) return { error: `flag needs an argument: -${name}` };
    } else {
      return { error: `flag provided but not defined: -${name}` };
    }
  }
  return { flags };
}

function usage(error) {
  process.stderr.write(`${error}\nstand-in: weed mini|shell|version with the flags that the tests use\n`);
  process.exit(2);
}

async function mini(args) {
  const { flags, error } = flagsOf(args, BOOLEAN, VALUED);
  if (error) usage(error);
  endOnSignals();
  for (const name of ["s3.port", "metricsPort", "master.volumeSizeLimitMB", "volume.max"]) {
    if (flags[name] !== undefined && !/^\d+$/.test(flags[name]))
      usage(`invalid value "${flags[name]}" for flag -${name}`);
  }
  const host = flags["ip.bind"] || "0.0.0.0";
  const accessKey = process.env.AWS_ACCESS_KEY_ID ?? "";
  const secret = process.env.AWS_SECRET_ACCESS_KEY ?? "";
  if ((accessKey === "") !== (secret === "")) fatal("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together");
  if (accessKey === "") log("no S3 keys are set: anybody may read and write", { level: "warning" });

  const buckets = new Buckets(flags.dir ?? ".");
  for (const name of [flags.bucket, process.env.S3_BUCKET].join(",").split(",").filter(Boolean)) {
    if (!buckets.has(name)) buckets.create(name);
  }
  const { handler, onError } = createS3({ buckets, accessKey, secret });
  await serve({ port: Number(flags["s3.port"] ?? 8333), host, name: "s3", handler, onError });
  const plain = (response, status, problem) => send(response, status, problem.message);
  await serve({
    port: 9333,
    host,
    name: "master",
    onError: plain,
    handler: (request, response, url) =>
      url.pathname === "/cluster/status"
        ? sendJson(response, 200, { IsLeader: true, Leader: `${flags.ip ?? "localhost"}:9333` })
        : send(response, 200, "stand-in master\n"),
  });
  if (Number(flags.metricsPort ?? 0) > 0) {
    await serve({
      port: Number(flags.metricsPort),
      host,
      name: "metrics",
      onError: plain,
      handler: (request, response) =>
        send(response, 200, `# TYPE stand_in_buckets gauge\nstand_in_buckets ${buckets.list().length}\n`, {
          "content-type": "text/plain",
        }),
    });
  }
  acceptOnly({ port: 8888, host, name: "filer" });
  serveShell({ port: 19333, host, buckets });
  log("ready", { buckets: buckets.list() });
}

// Flags of the program itself come before the command; of those, only where logs go.
const given = process.argv.slice(2);
if (/^--?logtostderr(=(true|false))?$/.test(given[0] ?? "")) given.shift();
const [command, ...rest] = given;
if (command === "mini") {
  await mini(rest);
} else if (command === "shell") {
  const { flags, error } = flagsOf(rest, new Set(), new Set(["master", "filer"]));
  if (error) usage(error);
  await runShell(flags.master ?? "localhost:9333");
} else if (command === "version") {
  process.stdout.write("version 30GB 4.47 stand-in\n");
} else {
  usage(command ? `unknown command: ${command}` : "no command given");
}
