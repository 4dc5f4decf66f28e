import { execFileSync } from "node:child_process";

// A daemon that does not answer must not hold up a command that can do without it.
const TIMEOUT_MS = 10_000;

/** What the container engine answers; undefined when there is none, or none that answers. */
function ask(args: readonly string[]): string[] | undefined {
  try {
    const text = execFileSync("docker", [...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: TIMEOUT_MS,
    });
    return text.split(/\r?\n/).filter((line) => line !== "");
  } catch {
    return undefined;
  }
}

/** Names of all volumes of the engine. */
export function engineVolumes(): string[] | undefined {
  return ask(["volume", "ls", "--format", "{{.Name}}"]);
}

/** Names of the running containers of a Compose project. */
export function runningContainers(project: string): string[] | undefined {
  return ask(["ps", "--filter", `label=com.docker.compose.project=${project}`, "--format", "{{.Names}}"]);
}
