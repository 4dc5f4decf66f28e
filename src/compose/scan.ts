import { portEntry, publishedBy, type Published } from "./ports.ts";

// Parsing YAML is most of the cost of a large root. What was generated and never edited has a known form: block
// style, two spaces a level. It is read line by line; anything else is left to the parser.

/**
 * The host ports that generated text publishes.
 * @returns undefined when any mention of ports has another form
 */
export function scanPorts(
  text: string,
  expand: (text: string) => string,
): (Published & { service: string })[] | undefined {
  const found: (Published & { service: string })[] = [];
  let service = "";
  let inPorts = false;
  let blocks = 0;
  for (const line of text.split("\n")) {
    service = serviceIn(line) ?? service;
    if (line === "    ports:") {
      inPorts = true;
      blocks += 1;
    } else if (inPorts) {
      const entry = portEntry(/^ {6}- "([^"\\#]+)"$/.exec(line)?.[1]);
      const published = entry === undefined ? undefined : publishedBy(entry, expand);
      if (published !== undefined) for (const each of published) found.push({ service, ...each });
      else if (entry !== undefined) return undefined;
      else if (/^ {4}[a-z_]+:/.test(line) || line === "") inPorts = false;
      else return undefined;
    }
  }
  const mentions = text.split("\n").filter((line) => /^\s*[^\s#].*\bports\b|^\s*ports\b/.test(line)).length;
  return mentions === blocks ? found : undefined;
}

/**
 * The images that generated text names, by service.
 * @returns undefined when any mention of an image has another form
 */
export function scanImages(text: string): Map<string, string> | undefined {
  const found = new Map<string, string>();
  let service = "";
  for (const line of text.split("\n")) {
    service = serviceIn(line) ?? service;
    // Keys from elsewhere: an image may be among them.
    if (/^\s*(?:<<:|[\w.-]+:\s*\*)/.test(line)) return undefined;
    if (!line.includes("image") || /^\s*#/.test(line)) continue;
    const image = /^ {4}image: ([^\s"'#&*!|>]+)$/.exec(line)?.[1];
    // A mention of another kind is no concern when it is not a key.
    if (image === undefined && /\bimage['"]?\s*:/.test(line)) return undefined;
    if (image !== undefined) found.set(service, image);
  }
  return found;
}

function serviceIn(line: string): string | undefined {
  return /^ {2}([A-Za-z0-9_.-]+):$/.exec(line)?.[1];
}
