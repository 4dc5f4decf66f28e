import { execFile } from "node:child_process";

// Long enough to send a mail, short enough to judge again in time.
const LIMIT_MS = 60_000;

/**
 * Runs a command of the user's own by `sh`, with a text on its standard input.
 * @returns what went wrong; undefined when it ended with 0
 */
export async function tell(command: string, text: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = execFile("sh", ["-c", command], { timeout: LIMIT_MS, killSignal: "SIGKILL" }, (error) => {
      if (error === null) resolve(undefined);
      else
        resolve(
          error.killed === true
            ? "took longer than a minute"
            : `ended with ${String(error.code ?? error.signal ?? "")}`,
        );
    });
    // It need not read it.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(text);
  });
}
