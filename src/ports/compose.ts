import type { Protocol } from "./claim.ts";

/** A port binding as a compose file states it. */
export interface Published {
  service: string;
  protocol: Protocol;
  address: string;
  port: number;
  /** The variable that the host port is made from, if it is. */
  variable: string | null;
}

/** Compose reads these names by itself, or people pass them with `-f`. */
export const COMPOSE_FILE = /^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/;

/**
 * The host ports that a parsed compose file publishes: short syntax (ranges, IPv4, IPv6,
 * `/udp`), long syntax, numbers. A binding without a host port gets a random one from
 * the engine, so it claims nothing.
 * @param doc the parsed file, untrusted
 * @param expand interpolates one scalar
 */
export function publishedPorts(doc: unknown, expand: (text: string) => string): Published[] {
  const services = field(doc, "services");
  if (services === null || typeof services !== "object") return [];
  return Object.entries(services).flatMap(([service, definition]) => {
    const ports: unknown = field(definition, "ports");
    if (!Array.isArray(ports)) return [];
    return ports.flatMap((entry: unknown): Published[] => {
      if (typeof entry === "string" || typeof entry === "number") {
        return shortSyntax(String(entry), expand).map((binding) => ({ service, ...binding }));
      }
      return longSyntax(entry, expand).map((binding) => ({ service, ...binding }));
    });
  });
}

/**
 * The same from text, for compose files that this program generated: block style, two blanks a level. Undefined
 * when any mention of ports has another form; the caller then parses the file.
 */
export function scanPorts(text: string, expand: (text: string) => string): Published[] | undefined {
  const found: Published[] = [];
  let service = "";
  let inPorts = false;
  let blocks = 0;
  for (const line of text.split("\n")) {
    const name = /^ {2}([A-Za-z0-9_.-]+):$/.exec(line)?.[1];
    if (name !== undefined) service = name;
    if (line === "    ports:") {
      inPorts = true;
      blocks += 1;
    } else if (inPorts) {
      const entry = /^ {6}- "([^"\\#]+)"$/.exec(line)?.[1];
      if (entry !== undefined) found.push(...shortSyntax(entry, expand).map((binding) => ({ service, ...binding })));
      else if (/^ {4}[a-z_]+:/.test(line) || line === "") inPorts = false;
      else return undefined;
    }
  }
  const mentions = text.split("\n").filter((line) => /^\s*[^\s#].*\bports\b|^\s*ports\b/.test(line)).length;
  return mentions === blocks ? found : undefined;
}

type Binding = Pick<Published, "protocol" | "address" | "port">;

function shortSyntax(raw: string, expand: (text: string) => string): Omit<Published, "service">[] {
  const parts = topLevelParts(raw);
  const host = parts.length > 1 ? (parts.at(-2) ?? "") : "";
  return parseShort(expand(raw)).map((binding) => ({ variable: variableIn(host), ...binding }));
}

/** Splits at colons that are not inside `${...}`. */
function topLevelParts(raw: string): string[] {
  const parts = [""];
  let depth = 0;
  for (let index = 0; index < raw.length; index += 1) {
    const letter = raw[index] ?? "";
    if (letter === "{" && raw[index - 1] === "$") depth += 1;
    else if (letter === "}" && depth > 0) depth -= 1;
    if (letter === ":" && depth === 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

function variableIn(text: string): string | null {
  return /^\$\{?([A-Za-z_][A-Za-z0-9_]*)/.exec(text)?.[1] ?? null;
}

/** `[[ADDRESS:]HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL]`. */
export function parseShort(text: string): Binding[] {
  const slash = text.lastIndexOf("/");
  const protocol = slash === -1 ? "tcp" : text.slice(slash + 1).toLowerCase();
  if (protocol !== "tcp" && protocol !== "udp") return [];
  let rest = slash === -1 ? text : text.slice(0, slash);
  const lastColon = rest.lastIndexOf(":");
  if (lastColon === -1) return [];
  rest = rest.slice(0, lastColon);
  let address = "0.0.0.0";
  const bracketed = /^\[([0-9A-Fa-f:.%]+)\]:?(.*)$/.exec(rest);
  if (bracketed !== null) {
    address = bracketed[1] ?? "::";
    rest = bracketed[2] ?? "";
  } else {
    const colon = rest.lastIndexOf(":");
    if (colon !== -1) {
      address = colon === 0 ? "0.0.0.0" : rest.slice(0, colon);
      rest = rest.slice(colon + 1);
    }
  }
  return range(rest).map((port) => ({ protocol, address, port }));
}

function longSyntax(entry: unknown, expand: (text: string) => string): Omit<Published, "service">[] {
  const published: unknown = field(entry, "published");
  if (typeof published !== "string" && typeof published !== "number") return [];
  const text = (key: string, otherwise: string): string => {
    const value: unknown = field(entry, key);
    return typeof value === "string" ? expand(value) : otherwise;
  };
  const protocol = text("protocol", "tcp").toLowerCase();
  if (protocol !== "tcp" && protocol !== "udp") return [];
  const raw = String(published);
  const host = text("host_ip", "");
  return range(expand(raw)).map((port) => ({
    protocol,
    address: host === "" ? "0.0.0.0" : host,
    port,
    variable: variableIn(raw),
  }));
}

/** `8000` or `8000-8010`; nothing when it is neither. */
function range(text: string): number[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim());
  if (match === null) return [];
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (first < 1 || last > 65_535 || last < first) return [];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function field(value: unknown, key: string): unknown {
  if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
