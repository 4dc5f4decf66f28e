// The engine (engine.py) as a child: one query at a time, in the order in which they came.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fatal } from "../lib/log.mjs";

const CONFIGURATION = "/tmp/engine.xml";

/** Starts it on the data in `directory`. */
export function startEngine(directory) {
  mkdirSync(directory, { recursive: true });
  // As in the configuration that the real server ships with.
  writeFileSync(CONFIGURATION, "<clickhouse><backups><allowed_path>backups</allowed_path></backups></clickhouse>\n");
  const child = spawn("/opt/stand-in/python", ["/opt/stand-in/clickhouse/engine.py", directory, CONFIGURATION], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, PYTHONHOME: "/usr", PYTHONDONTWRITEBYTECODE: "1" },
  });
  const waiting = [];
  let isEnding = false;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.once("exit", (code, signal) => {
    if (!isEnding) fatal("the engine ended", { code, signal });
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { resolve, reject } = waiting.shift();
    const { text, error } = JSON.parse(line);
    if (error === undefined) resolve(text);
    else reject(new Error(error));
  });
  return {
    query(sql) {
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify({ sql })}\n`);
      });
    },
    end: async () => {
      isEnding = true;
      child.stdin.end();
      await ended;
    },
  };
}
