import { interpolate } from "../env/interpolate.ts";
import type { Container } from "../host/containers.ts";
import type { SqlAnswer, SqlWork } from "../host/database.ts";
import type { DockerAnswer } from "../host/docker.ts";
import type { Script } from "../host/peer.ts";
import type { HttpAnswer, HttpRequest } from "../host/requests.ts";

/** What a declared probe works with: values, time, and ways to its service. */
export interface ProbeContext {
  /** The value of a variable of `.env`, or of the probe's own (`PROBE_…`). */
  lookup: (name: string) => string | undefined;
  timeoutMs: number;
  now: () => number;
  pause: (ms: number) => Promise<void>;
  request: (request: HttpRequest, timeoutMs: number) => Promise<HttpAnswer>;
  connects: (host: string, port: number, timeoutMs: number) => Promise<string | undefined>;
  sql: (work: SqlWork, timeoutMs: number) => Promise<SqlAnswer>;
  inside: (container: Container, script: Script) => Promise<DockerAnswer>;
  beside: (container: Container, network: string, script: Script) => Promise<DockerAnswer>;
  /** Sends requests should this program be killed; gives back what calls that off. */
  guard: (requests: readonly HttpRequest[]) => () => void;
  /** A network that this stack is not on; undefined where there is none. */
  elsewhere: string | undefined;
}

/** A text of a manifest with its variables filled in. */
export function filled(text: string, { lookup }: Pick<ProbeContext, "lookup">): string {
  return interpolate(text, lookup);
}

/** The variables that a part of a manifest cannot do without: those without a default. */
export function variablesOf(part: unknown): string[] {
  const texts = JSON.stringify(part) ?? "";
  return [...new Set([...texts.matchAll(/(?<!\$)\$\{([A-Z][A-Z0-9_]*)\}/g)].map(([, name = ""]) => name))];
}
