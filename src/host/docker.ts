import { execFile } from "node:child_process";

/** What one run of docker came to. */
export interface DockerAnswer {
  /** Its standard output; undefined when it failed. */
  text: string | undefined;
  /** Why there is no answer. */
  failure: "none" | "missing" | "timeout" | "failed";
  /** What it said on standard error. */
  said: string;
}

/** Runs docker, with a limit for a daemon that does not answer. */
export async function askDocker(args: readonly string[], timeoutMs: number): Promise<DockerAnswer> {
  return new Promise((resolve) => {
    execFile(
      "docker",
      [...args],
      { encoding: "utf8", timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const said = stderr.trim();
        if (error === null) resolve({ text: stdout, failure: "none", said });
        else if (error.code === "ENOENT") resolve({ text: undefined, failure: "missing", said });
        else resolve({ text: undefined, failure: error.killed === true ? "timeout" : "failed", said });
      },
    );
  });
}
