import { execFileSync } from "node:child_process";

import { DOCKER_TIMEOUT_MS } from "./docker.ts";

/** What the container engine answers; undefined when there is none, or none that answers. */
function ask(args: readonly string[]): string[] | undefined {
  try {
    const text = execFileSync("docker", [...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: DOCKER_TIMEOUT_MS,
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

/**
 * Host ports that the running containers of a Compose project publish, as `tcp/6333`.
 * @returns undefined when no engine answers
 */
export function publishedPortsOf(project: string): Set<string> | undefined {
  const lines = ask(["ps", "--filter", `label=com.docker.compose.project=${project}`, "--format", "{{.Ports}}"]);
  return lines === undefined ? undefined : new Set(lines.flatMap(publishedIn));
}

/** Of `127.0.0.1:6450->6333/tcp, :::8000-8002->80-82/tcp, 6334/tcp`: the part before each arrow. */
export function publishedIn(line: string): string[] {
  return [...line.matchAll(/:(\d+)(?:-(\d+))?->[\d-]+\/(tcp|udp)/g)].flatMap(([, from, to, protocol = ""]) => {
    const first = Number(from);
    const last = Number(to ?? from);
    return Array.from({ length: last - first + 1 }, (_, index) => `${protocol}/${String(first + index)}`);
  });
}

/**
 * The digests under which the engine got an image from its registry, as `sha256:…`.
 * @param reference with its tag
 * @returns none for an image that is not there or was built here; undefined when no engine answers
 */
export function engineDigests(reference: string): string[] | undefined {
  const repository = reference.slice(0, reference.lastIndexOf(":"));
  const lines = ask(["image", "inspect", "--format", "{{range .RepoDigests}}{{println .}}{{end}}", reference]);
  if (lines === undefined) return ask(["version", "--format", "{{.Server.Version}}"]) === undefined ? undefined : [];
  return lines.flatMap((line) => {
    const [name, digest] = line.split("@");
    return name === repository && digest !== undefined ? [digest] : [];
  });
}

/** Names of the running containers of a Compose project. */
export function runningContainers(project: string): string[] | undefined {
  return ask(["ps", "--filter", `label=com.docker.compose.project=${project}`, "--format", "{{.Names}}"]);
}
