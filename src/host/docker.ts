import { execFile } from "node:child_process";

/** A daemon that does not answer must not hold up a command that can do without it. */
export const DOCKER_TIMEOUT_MS = 10_000;

/** What one run of docker came to. */
export interface DockerAnswer {
  /** Its standard output; undefined when it failed. */
  text: string | undefined;
  /** Why there is no answer. */
  failure: "none" | "missing" | "timeout" | "failed";
  /** What it said on standard error. */
  said: string;
  /** What it printed before it failed. */
  printed: string;
  /** Its exit code; undefined when it did not end by itself. */
  code: number | undefined;
}

interface Options {
  timeoutMs?: number;
  /** Variables beside the process's own: what an argument would show to everybody on this host. */
  env?: Readonly<Record<string, string>>;
}

/** Runs docker without holding up what else is asked meanwhile. */
export async function askDocker(
  args: readonly string[],
  { timeoutMs = DOCKER_TIMEOUT_MS, env = {} }: Options = {},
): Promise<DockerAnswer> {
  return new Promise((resolve) => {
    execFile(
      "docker",
      [...args],
      {
        encoding: "utf8",
        timeout: timeoutMs,
        killSignal: "SIGKILL",
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, ...env },
      },
      (error, stdout, stderr) => {
        const said = stderr.trim();
        if (error === null) {
          resolve({ text: stdout, failure: "none", said, printed: stdout, code: 0 });
          return;
        }
        const code = typeof error.code === "number" ? error.code : undefined;
        const failure = error.code === "ENOENT" ? "missing" : error.killed === true ? "timeout" : "failed";
        resolve({ text: undefined, failure, said, printed: stdout, code });
      },
    );
  });
}

/** The lines of an answer; none where there is no answer. */
export function linesOf({ text }: DockerAnswer): string[] {
  return (text ?? "").split(/\r?\n/).filter((line) => line !== "");
}
