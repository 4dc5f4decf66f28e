import type { NetworkOverview, StackOverview } from "../../compose/overview.ts";
import { markup, type Markup } from "./markup.ts";
import { publishedText } from "./ports.ts";

export const KINDS: Readonly<Record<NetworkOverview["kind"], string>> = {
  bridge: "reaches other hosts, and ports can be published",
  internal: "internal, reaches nothing outside",
  external: "made elsewhere: what it reaches and who else is on it is not known",
  lan: "its containers have addresses on the local network",
};

const BOX = { width: 190, height: 44, gap: 8 };
const TOP = 30;
const FIRST_LINE = BOX.width + 26;
const LINE = 24;
/** Nobody reads a drawing of more; the table has them all. */
const MOST_SERVICES = 100;

/**
 * A stack as a drawing: a box for each service with what it publishes, a line for each network, a dot where a service is
 * on it. It fits a phone. What it shows is also in the tables beside it, for those who cannot see it.
 * @param states what its probe says of a service, by its name
 */
export function drawingOf(
  { services, networks }: StackOverview,
  states: ReadonlyMap<string, string>,
  title: string,
): Markup {
  if (services.length > MOST_SERVICES) return markup`<p>It has too many services to be drawn.</p>\n`;
  const width = FIRST_LINE + Math.max(networks.length, 1) * LINE;
  const height = TOP + services.length * (BOX.height + BOX.gap);
  const middle = (row: number): number => TOP + row * (BOX.height + BOX.gap) + BOX.height / 2;
  const x = (line: number): number => FIRST_LINE + line * LINE;
  const members = networks.map((network) => new Set(network.services));
  const lines = networks.map(({ kind }, index) => {
    const last = services.findLastIndex(({ name }) => members[index]?.has(name) === true);
    const dashes = kind === "internal" ? markup` stroke-dasharray="5 4"` : markup``;
    return markup`<text x="${x(index)}" y="16" text-anchor="middle" class="small">${index + 1}</text>
<line class="${kind === "internal" ? "rail" : "open"}" x1="${x(index)}" x2="${x(index)}" y1="22" y2="${middle(Math.max(0, last))}"${dashes}/>
`;
  });
  const boxes = services.map(({ name, published }, row) => {
    const on = members.flatMap((each, index) => (each.has(name) ? [index] : []));
    const y = TOP + row * (BOX.height + BOX.gap);
    const last = on.at(-1);
    const wire =
      last === undefined
        ? markup``
        : markup`<line class="wire" x1="${BOX.width}" x2="${x(last)}" y1="${middle(row)}" y2="${middle(row)}"/>`;
    const text = publishedText(published);
    const second = text === "" ? "publishes nothing" : `▸ ${shortened(text, 28)}`;
    return markup`${wire}<rect class="box" x="0.5" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/>
<rect class="strip-${states.get(name) ?? "none"}" x="0.5" y="${y}" width="6" height="${BOX.height}" rx="3"/>
<text x="14" y="${y + 18}" font-weight="600">${shortened(name, 22)}</text>
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
