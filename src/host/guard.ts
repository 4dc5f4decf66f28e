import { spawn, type ChildProcess } from "node:child_process";

import { PROBE_LABEL } from "./peer.ts";
import type { HttpRequest } from "./requests.ts";

/**
 * Cleans up after this program should it be killed: a process of its own that holds one end of a pipe. When the pipe
 * ends and nobody has said good-bye, it sends the requests that are still held, and removes this run's containers that
 * were made and never started: a client that is killed in between leaves such a one for ever. It does so more than once,
 * as servers may still be at what this program asked for last.
 */
export class Guard {
  readonly #child: ChildProcess;
  readonly #held = new Set<string>();
  #isUnsure = false;
  #count = 0;

  /** @param run what the containers of this run are labelled with */
  constructor(run: string) {
    // Detached: what ends a terminal's group of processes must not end this one.
    this.#child = spawn(process.execPath, ["-e", PROGRAM, `${PROBE_LABEL}=${run}`], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#child.on("error", () => undefined);
    this.#child.stdin?.on("error", () => undefined);
    this.#child.unref();
  }

  /** @param requests to be sent, in this order, should this program end before what is returned was called */
  hold(requests: readonly HttpRequest[]): () => void {
    this.#count += 1;
    const id = String(this.#count);
    this.#held.add(id);
    this.#say({ id, requests });
    return () => {
      this.#held.delete(id);
      this.#say({ id, requests: [] });
    };
  }

  /** A client of the engine was ended before its time: it may have left a container. */
  distrust(): void {
    this.#isUnsure = true;
  }

  /** Lets it go. What is still held, because nobody waited for it any longer, it cleans up. */
  end(): void {
    if (this.#held.size === 0 && !this.#isUnsure) this.#say("good-bye");
    this.#child.stdin?.end();
  }

  #say(message: object | string): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

// Run by `node -e`, so it is self-contained. The requests come by the pipe: arguments are for everybody to see.
const PROGRAM = `
const docker = (...args) => new Promise((resolve) => {
  require("node:child_process").execFile("docker", args, { timeout: 10000 }, (error, out) => resolve(out ?? ""));
});
let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (piece) => { text += piece; });
process.stdin.on("end", async () => {
  const messages = text.split("\\n").filter((line) => line.endsWith("}") || line.endsWith('"')).map((line) => JSON.parse(line));
  if (messages.includes("good-bye")) return;
  const held = new Map(messages.map(({ id, requests }) => [id, requests]));
  for (const wait of [0, 2000, 4000]) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    for (const { method, url, headers, body } of [...held.values()].flat()) {
      try {
        await fetch(url, { method, headers: { "content-type": "application/json", ...headers }, redirect: "manual",
          body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.timeout(5000) });
      } catch {}
    }
    if (wait === 0) continue;
    const made = await docker("ps", "-aq", "--filter", "label=" + process.argv[1], "--filter", "status=created");
    const ids = made.split("\\n").filter((id) => id !== "");
    if (ids.length > 0) await docker("rm", "-f", "-v", ...ids);
  }
});
`;
