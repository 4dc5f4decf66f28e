import { networkName, type Compose, type Service } from "../../compose/model.ts";
import type { Probed } from "../../probes/probe.ts";
import { markup, type Markup } from "./markup.ts";
import { publishedText } from "./ports.ts";

/** A network of a stack, and what is on it. */
export interface Rail {
  /** Its name in the engine. */
  name: string;
  kind: "bridge" | "internal" | "external";
  /** Names of the services. */
  services: readonly string[];
}

/** The networks that services of a stack are on; those that lead outside come first. */
export function railsOf({ services, networks }: Compose, project: string): Rail[] {
  const byKey = new Map<string, string[]>();
  for (const service of services.values())
    for (const key of networkKeys(service)) byKey.set(key, [...(byKey.get(key) ?? []), service.name]);
  const order = ["bridge", "external", "internal"];
  return [...byKey]
    .map(([key, names]): Rail => {
      const definition = networks.get(key);
      const isExternal = definition?.["external"] !== undefined && definition["external"] !== false;
      const kind = isExternal ? "external" : definition?.["internal"] === true ? "internal" : "bridge";
      return { name: networkName(key, definition, project), kind, services: names };
    })
    .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** A service that names none is on the project's own; one with a mode of its own is on none of the stack. */
function networkKeys({ networks, settings }: Service): readonly string[] {
  if (typeof settings["network_mode"] === "string") return [];
  return networks.length === 0 ? ["default"] : networks;
}

/** The services that share a network with one, so may open connections to it and it to them. */
export function neighboursOf(service: string, rails: readonly Rail[]): string[] {
  const shared = rails.filter(({ services }) => services.includes(service)).flatMap(({ services }) => services);
  return [...new Set(shared)].filter((other) => other !== service);
}

export const KINDS: Readonly<Record<Rail["kind"], string>> = {
  bridge: "reaches other hosts, and ports can be published",
  internal: "internal, reaches nothing outside",
  external: "made elsewhere, and may have other members",
};

const BOX = { width: 190, height: 44, gap: 8 };
const TOP = 30;
const FIRST_RAIL = BOX.width + 26;
const RAIL = 24;

/**
 * A stack as a drawing: a box for each service with what it publishes, a line for each network, a dot where a service is
 * on it. It fits a phone. What it shows is also in the tables beside it, for those who cannot see it.
 */
export function drawingOf(compose: Compose, rails: readonly Rail[], probes: readonly Probed[], title: string): Markup {
  const services = [...compose.services.values()];
  const width = FIRST_RAIL + Math.max(rails.length, 1) * RAIL;
  const height = TOP + services.length * (BOX.height + BOX.gap);
  const middle = (row: number): number => TOP + row * (BOX.height + BOX.gap) + BOX.height / 2;
  const x = (rail: number): number => FIRST_RAIL + rail * RAIL;
  const lines = rails.map(({ kind, services: on }, index) => {
    const rows = services.flatMap(({ name }, row) => (on.includes(name) ? [row] : []));
    const dashes = kind === "internal" ? markup` stroke-dasharray="5 4"` : markup``;
    return markup`<text x="${x(index)}" y="16" text-anchor="middle" class="small">${index + 1}</text>
<line class="${kind === "internal" ? "rail" : "open"}" x1="${x(index)}" x2="${x(index)}" y1="22" y2="${middle(Math.max(0, ...rows))}"${dashes}/>
`;
  });
  const boxes = services.map((service, row) => {
    const on = rails.flatMap(({ services: names }, index) => (names.includes(service.name) ? [index] : []));
    const state = probes.find((probe) => probe.id === "state" && probe.service === service.name)?.outcome ?? "none";
    const y = TOP + row * (BOX.height + BOX.gap);
    const last = on.at(-1);
    const wire =
      last === undefined
        ? markup``
        : markup`<line class="wire" x1="${BOX.width}" x2="${x(last)}" y1="${middle(row)}" y2="${middle(row)}"/>`;
    const published = publishedText(service, compose);
    const second = published === "" ? "publishes nothing" : `▸ ${shortened(published, 28)}`;
    return markup`${wire}<rect class="box" x="0.5" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/>
<rect class="strip-${state}" x="0.5" y="${y}" width="6" height="${BOX.height}" rx="3"/>
<text x="14" y="${y + 18}" font-weight="600">${shortened(service.name, 22)}</text>
<text x="14" y="${y + 36}" class="small">${second}</text>
${on.map((index) => markup`<circle class="dot" cx="${x(index)}" cy="${middle(row)}" r="5"/>\n`)}`;
  });
  return markup`<svg role="img" aria-label="${title}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
${lines}${boxes}</svg>
`;
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
