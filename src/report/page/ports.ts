import type { PortRange, Publication } from "../../compose/overview.ts";
import type { FrameworkVerdict } from "../../flow/validate.ts";
import { markup, type Markup } from "./markup.ts";
import { anchorOf, badge, MOST_NAMES, table } from "./verdict.ts";

/** What a service publishes on this host: `127.0.0.1:6333`; "" for nothing. */
export function publishedText({ ranges, others }: Publication): string {
  const texts = [...ranges.map(placeText), ...others.map(({ text }) => text)];
  const more = texts.length - MOST_NAMES;
  return more > 0 ? `${texts.slice(0, MOST_NAMES).join(", ")} and ${String(more)} more` : texts.join(", ");
}

function placeText(range: PortRange): string {
  const { address } = range;
  return `${address.includes(":") ? `[${address.replaceAll(/[[\]]/g, "")}]` : address}:${numberText(range)}`;
}

function numberText({ first, last, protocol }: PortRange): string {
  const numbers = first === last ? String(first) : `${String(first)}-${String(last)}`;
  return `${numbers}${protocol === "tcp" ? "" : `/${protocol}`}`;
}

/** What one service of one framework publishes. */
interface Holder {
  framework: string;
  service: string;
  published: Publication;
}

/** The published ports of frameworks: which has which, by service; and which two have the same. */
export function portMap(frameworks: readonly FrameworkVerdict[]): Markup {
  const holders = frameworks
    .flatMap(({ name, stack }) => (stack?.overview.services ?? []).map((service) => ({ framework: name, ...service })))
    .map(({ framework, name, published }): Holder => ({ framework, service: name, published }))
    .filter(({ published }) => published.ranges.length + published.others.length > 0);
  const unread = frameworks.filter(({ stack }) => stack?.overview.hasMore !== false);
  const left = unread.map(({ name, stack }) =>
    stack === undefined
      ? markup`<p>${name} cannot be read; what it publishes is not known.</p>\n`
      : markup`<p>${name} includes other files; what they publish is not known.</p>\n`,
  );
  if (holders.length === 0) return unread.length > 0 ? markup`${left}` : markup`<p>No port is published.</p>\n`;
  const twice = clashesAmong(holders);
  const services = [...new Set(holders.map(({ service }) => service))];
  const byPlace = new Map(holders.map((holder) => [keyOf(holder.framework, holder.service), holder]));
  const rows = [...new Set(holders.map(({ framework }) => framework))].map((framework) => {
    const cells = services.map((service) => {
      const holder = byPlace.get(keyOf(framework, service));
      return holder === undefined
        ? markup`<td><span class="soft">–</span></td>`
        : markup`<td>${cell(holder.published, twice)}</td>`;
    });
    return markup`<th scope="row"><a href="#${anchorOf(framework)}">${framework}</a></th>${cells}`;
  });
  const isOpen = holders.some(({ published: { ranges, others } }) =>
    [...ranges, ...others].some(({ isLoopback }) => !isLoopback),
  );
  const note = isOpen
    ? "Only this host can reach a port without an address. Other hosts may reach what has an address, or is described in words."
    : unread.length > 0
      ? "Only this host can reach those that are known."
      : "Only this host can reach them.";
  return markup`${left}<p>${note}</p>
${table("Published ports by framework and service", ["Framework", ...services], rows)}`;
}

function cell({ ranges, others }: Publication, twice: ReadonlySet<PortRange>): Markup[] {
  // One on several addresses of this host alone is shown once.
  const texts = new Map(
    ranges.map((range) => [range.isLoopback ? numberText(range) : placeText(range), twice.has(range)]),
  );
  for (const { text } of others) texts.set(text, false);
  const shown = [...texts]
    .slice(0, MOST_NAMES)
    .map(
      ([text, isTwice], index) =>
        markup`${index === 0 ? "" : ", "}${text}${isTwice ? markup` ${badge("fail", "clash")}` : markup``}`,
    );
  const more = texts.size - MOST_NAMES;
  return more > 0 ? [...shown, markup` and ${more} more`] : shown;
}

/** Ranges that share a port with one of another service, whatever their addresses. */
function clashesAmong(holders: readonly Holder[]): ReadonlySet<PortRange> {
  const all = holders
    .flatMap((holder) => holder.published.ranges.map((range) => ({ holder, range })))
    .toSorted((a, b) => a.range.first - b.range.first);
  const found = new Set<PortRange>();
  let open: typeof all = [];
  for (const each of all) {
    open = open.filter(({ range }) => range.last >= each.range.first);
    for (const { holder, range } of open) {
      if (holder === each.holder || range.protocol !== each.range.protocol) continue;
      found.add(range).add(each.range);
    }
    open.push(each);
  }
  return found;
}

function keyOf(framework: string, service: string): string {
  return JSON.stringify([framework, service]);
}
