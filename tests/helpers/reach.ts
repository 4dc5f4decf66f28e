import { run } from "./cli.ts";
import { docker } from "./engine.ts";

/** What a container listens on, inside its networks. */
export const LISTENING: readonly (readonly [service: string, port: number])[] = [
  ["qdrant", 6333],
  ["postgres", 5432],
  ["langfuse", 3000],
  ["langfuse-worker", 3030],
  ["clickhouse", 8123],
  ["valkey", 6379],
  ["seaweedfs", 8333],
  ["seaweedfs", 8888],
  ["seaweedfs", 9333],
];

/** Something to connect to: by any of its addresses, `HOST/PORT` as bash writes it. */
export interface Target {
  label: string;
  places: readonly string[];
}

/**
 * Which targets can be reached. All are tried at once: what a firewall drops costs its time-out.
 * @param ask runs a script of bash where the connections are to come from; gives what it printed
 */
export async function reachedBy(
  ask: (script: string) => Promise<string>,
  targets: readonly Target[],
): Promise<Set<string>> {
  const lines = targets.flatMap(({ label, places }) =>
    places.map((place) => `(timeout 3 bash -c 'exec 3<>/dev/tcp/${place}' 2>/dev/null && echo '${label}') &`),
  );
  return new Set((await ask(`${lines.join("\n")}\nwait`)).split("\n").filter((line) => line !== ""));
}

/** For `reachedBy`: the network of a container, with the tools of this host, since few images have bash. */
export function inNetworkOf(container: string): (script: string) => Promise<string> {
  return async (script) => {
    const pid = (await docker("inspect", "--format", "{{.State.Pid}}", container)).trim();
    const { stdout } = await run("nsenter", ["-t", pid, "-n", "bash", "-c", script], { timeout: 60_000 });
    return stdout;
  };
}

/** The table of a document below a heading: the labels of its columns, and for each row which of them say `yes`. */
export function tableOf(document: string, heading: string): Map<string, Map<string, string>> {
  const section = document.split(/^#+ /m).find((part) => part.startsWith(heading)) ?? "";
  const rows = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
  const [head = [], , ...body] = rows;
  return new Map(
    body.map(([from = "", ...cells]) => [from, new Map(cells.map((cell, at) => [head[at + 1] ?? "", cell]))]),
  );
}
