// `weed shell`, both ends. Upstream speaks gRPC on the master's port + 10000;
// the stand-in sends one line of JSON each way on that same port.
import net from "node:net";
import readline from "node:readline";
import { log } from "../lib/log.mjs";

function option(words, name) {
  for (let at = 0; at < words.length; at += 1) {
    const match = /^--?([^=]+)(?:=(.*))?$/.exec(words[at]);
    if (match?.[1] === name) return match[2] ?? words[at + 1];
  }
  return undefined;
}

function run(buckets, line) {
  const [command, ...words] = line.trim().split(/\s+/);
  const name = option(words, "name");
  switch (command) {
    case "s3.bucket.list":
      return buckets
        .list()
        .map((bucket) => `  ${bucket}\tsize:${buckets.size(bucket)}\tchunk:${buckets.objects(bucket).length}\n`)
        .join("");
    case "s3.bucket.create":
      if (!name) return "error: empty bucket name\n";
      if (buckets.has(name)) return `error: bucket ${name} already exists\n`;
      try {
        buckets.create(name);
      } catch (error) {
        return `error: ${error.message}\n`;
      }
      log("bucket created", { bucket: name, by: "shell" });
      return `create bucket under /buckets\ncreated bucket ${name}\n`;
    case "s3.bucket.delete":
      if (!name) return "error: empty bucket name\n";
      if (!buckets.has(name)) return `error: bucket ${name} not found\n`;
      buckets.delete(name);
      log("bucket deleted", { bucket: name, by: "shell" });
      return "";
    case "lock":
    case "unlock":
    case "":
      return "";
    case "help":
      return "stand-in: s3.bucket.list, s3.bucket.create -name X, s3.bucket.delete -name X\n";
    default:
      return `unknown command: ${command}\n`;
  }
}

export function serveShell({ port, host, buckets }) {
  net
    .createServer((socket) => {
      socket.on("error", () => {});
      readline.createInterface({ input: socket }).on("line", (line) => {
        let output;
        try {
          output = run(buckets, JSON.parse(line).line);
        } catch (error) {
          output = `error: ${error.message}\n`;
        }
        socket.write(`${JSON.stringify({ output })}\n`);
      });
    })
    .listen(port, host, () => log("listening", { name: "master shell", host, port }));
}

function connect(host, port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, timeout: 3000 });
    socket.once("connect", () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once("timeout", () => socket.destroy(new Error("timed out")));
    socket.once("error", reject);
  });
}

export async function runShell(master) {
  const match = /^(.+?):(\d+)(?:\.(\d+))?$/.exec(master);
  if (!match) {
    process.stderr.write(`error: -master=${master} is not HOST:PORT\n`);
    process.exit(2);
  }
  const port = Number(match[3] ?? Number(match[2]) + 10000);
  const deadline = Date.now() + 8000;
  let socket;
  while (!socket) {
    try {
      socket = await connect(match[1], port);
    } catch (error) {
      if (Date.now() > deadline) {
        process.stderr.write(`error: cannot reach the master at ${match[1]}:${port}: ${error.message}\n`);
        process.exit(1);
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  const lost = (error) => {
    process.stderr.write(`error: the master went away: ${error?.message ?? "closed"}\n`);
    process.exit(1);
  };
  socket.on("error", lost);
  const replies = readline.createInterface({ input: socket })[Symbol.asyncIterator]();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (["exit", "quit"].includes(line.trim())) break;
    if (line.trim() === "") continue;
    socket.write(`${JSON.stringify({ line })}\n`);
    const reply = await replies.next();
    if (reply.done) lost();
    process.stdout.write(JSON.parse(reply.value).output);
  }
  // Upstream ends with 0 whatever its commands said; callers must read the text.
  process.exit(0);
}
