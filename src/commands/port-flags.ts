import { usageError } from "../lib/errors.ts";
import { parsePort } from "../ports/number.ts";

const EXAMPLE = "for example: --port postgres=5440";

/** Ports by service id, from `--port SERVICE=PORT`, which can be repeated. @throws UserError exit 2 */
export function portFlags(flags: readonly string[]): Map<string, number> {
  const ports = new Map<string, number>();
  for (const flag of flags) {
    const [, service, text = ""] = /^([a-z][a-z0-9-]*)=(.*)$/.exec(flag) ?? [];
    if (service === undefined) throw invalid(`--port "${flag}" is not SERVICE=PORT`);
    const port = parsePort(text);
    if (port === undefined) throw invalid(`--port ${service}: "${text}" is not a port: a whole number from 1 to 65535`);
    if (ports.has(service)) throw usageError(`--port gives ${service} two ports`, "give one", [], "invalid");
    ports.set(service, port);
  }
  return ports;
}

function invalid(message: string): Error {
  return usageError(message, EXAMPLE, [], "invalid");
}
