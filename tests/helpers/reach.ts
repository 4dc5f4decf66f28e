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

/** A place to connect to: by name or address, `HOST/PORT` as bash writes it. */
export interface Target {
  label: string;
  places: readonly string[];
}

/**
 * Which targets a container can open a connection to, by any of their addresses. All are tried at once: what a firewall
 * drops costs its time-out.
 */
export async function reachedFrom(container: string, targets: readonly Target[]): Promise<Set<string>> {
  const script = targets
    .flatMap(({ label, places }) =>
      places.map((place) => `(timeout 3 bash -c 'exec 3<>/dev/tcp/${place}' 2>/dev/null && echo '${label}') &`),
    )
    .join("\n");
  const found = await docker("exec", container, "bash", "-c", `${script}\nwait`);
  return new Set(found.split("\n").filter((line) => line !== ""));
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
