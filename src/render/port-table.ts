import type { Catalogue } from "../catalogue/catalogue.ts";
import { FIRST_FREE_SLOT, OVERFLOW } from "../ports/allocate.ts";
import type { Spec } from "../spec/schema.ts";

/** The port table of a root. */
export const PORT_TABLE_FILE = "PORT_ALLOCATION.md";

/**
 * The text of PORT_ALLOCATION.md: derived from the specs and the catalogue alone, so that two
 * hosts with the same specs have the same bytes.
 */
export function portAllocation(specs: readonly Spec[], catalogue: Catalogue): string {
  const published = [...catalogue.services.values()].flatMap((service) =>
    service.port === undefined ? [] : [{ id: service.id, title: service.title, ...service.port }],
  );
  const shown = published.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const rows = specs
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      (spec) =>
        `| ${[spec.name, ...shown.map((service) => String(spec.services[service.id]?.port ?? "-"))].join(" | ")} |`,
    );
  const presets = [...catalogue.presets.values()]
    .filter((preset) => preset.slot !== undefined)
    .toSorted((a, b) => (a.slot ?? 0) - (b.slot ?? 0));

  return `# Port allocation

Generated from the \`framework.yaml\` of every framework in this directory; do not edit it. It shows what the specs say. A host's \`.env\` may override a port: \`npm run ports\` shows what is really published here, and whether it is free.

| framework | ${shown.map((service) => service.title).join(" | ")} |
|---|${shown.map(() => "---|").join("")}
${rows.join("\n")}${rows.length === 0 ? "" : "\n"}
## How ports are given

Ports are published on \`127.0.0.1\` (\`BIND_ADDRESS\`). A port has one holder, whatever the address. Once given, it stays: a port that becomes free later moves nobody.

| service | first | last | inside the stack |
|---|---|---|---|
${shown.map((service) => `| ${service.title} | ${String(service.base)} | ${String(service.last)} | ${String(service.container)}/${service.protocol} |`).join("\n")}

A framework gets the same offset from each service's first port, where that is possible. These offsets are kept for presets:

| preset | offset | ${shown.map((service) => service.title).join(" | ")} |
|---|---|${shown.map(() => "---|").join("")}
${presets.map((preset) => `| ${preset.title} | ${String(preset.slot ?? 0)} | ${shown.map((service) => String(service.base + (preset.slot ?? 0))).join(" | ")} |`).join("\n")}

Every other framework takes the first free offset from ${String(FIRST_FREE_SLOT)} on. When a range is used up, ports come from ${String(OVERFLOW.first)}-${String(OVERFLOW.last)}. Ports of the ephemeral range (32768-60999) and ports that browsers refuse are never proposed.

## When two want the same port

- While a framework is made, a proposed port that is taken moves on by itself; one that you typed is refused, and the message names the holder and the nearest free port.
- Two branches that gave the same port to two frameworks: after merging them, \`npm run ports -- --check\` finds it (exit code 3) and \`npm run ports -- --fix\` moves the one that has it by chance. Of two specs, a framework that has its preset's own port keeps it; what a \`.env\` or another compose file says is never touched, so a spec gives way to it.
- A program outside this directory that listens on a port: stop it, or set the variable (\`QDRANT_PORT\`, say) in that framework's \`.env\` on this host.

## How to check a port

\`\`\`sh
npm run ports                        # who holds what, and what is free or listening on this host
ss -ltn 'sport = :6333'              # Linux: does anything listen on 6333?
lsof -nP -iTCP:6333 -sTCP:LISTEN     # macOS
docker ps --format '{{.Names}} {{.Ports}}'
\`\`\`
`;
}
