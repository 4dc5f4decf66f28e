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
}

/** Runs docker without holding up what else is asked meanwhile. */
export async function askDocker(args: readonly string[]): Promise<DockerAnswer> {
  return new Promise((resolve) => {
    execFile(
      "docker",
      [...args],
      { encoding: "utf8", timeout: DOCKER_TIMEOUT_MS, killSignal: "SIGKILL", maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const said = stderr.trim();
        if (error === null) resolve({ text: stdout, failure: "none", said });
        else if (error.code === "ENOENT") resolve({ text: undefined, failure: "missing", said });
        else resolve({ text: undefined, failure: error.killed === true ? "timeout" : "failed", said });
      },
    );
  });
}
