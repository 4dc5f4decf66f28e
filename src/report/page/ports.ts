import { publishedPorts, type Compose, type Service } from "../../compose/model.ts";
import type { FrameworkVerdict } from "../../flow/validate.ts";
import { anchorOf, badge, table } from "./verdict.ts";
import { markup, type Markup } from "./markup.ts";

interface PublishedPort {
  framework: string;
  service: string;
  protocol: string;
  address: string;
  port: number;
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** What a service publishes on this host: `127.0.0.1:6333`; "" for nothing. */
export function publishedText(service: Service, compose: Compose): string {
  const own = portsIn(compose).filter((each) => each.service === service.name);
  return own.map(({ address, port, protocol }) => placeText(address, port, protocol)).join(", ");
}

// The variables of these files are filled in already.
function portsIn(compose: Compose): ReturnType<typeof publishedPorts>["ports"] {
  return publishedPorts(compose, (text) => text).ports;
}

function placeText(address: string, port: number, protocol: string): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return `${host}:${String(port)}${protocol === "tcp" ? "" : `/${protocol}`}`;
}

/** Every published port of all frameworks: which framework has which, by service; and which two have. */
export function portMap(frameworks: readonly FrameworkVerdict[]): Markup {
  const all = frameworks.flatMap(({ name, stack }) =>
    (stack === undefined ? [] : portsIn(stack.compose)).map((each): PublishedPort => ({ framework: name, ...each })),
  );
  if (all.length === 0) return markup`<p>No port is published.</p>\n`;
  // One service may publish a port on several addresses.
  const holders = new Map<string, Set<string>>();
  for (const each of all) {
    const known = holders.get(keyOf(each)) ?? new Set();
    holders.set(keyOf(each), known.add(`${each.framework}/${each.service}`));
  }
  const services = [...new Set(all.map(({ service }) => service))];
  const byPlace = new Map<string, PublishedPort[]>();
  for (const each of all) {
    const key = JSON.stringify([each.framework, each.service]);
    byPlace.set(key, [...(byPlace.get(key) ?? []), each]);
  }
  const rows = [...new Set(all.map(({ framework }) => framework))].map((framework) => {
    const cells = services.map((service) => {
      const ports = byPlace.get(JSON.stringify([framework, service])) ?? [];
      const texts = new Map(ports.map((each) => [shortText(each), (holders.get(keyOf(each))?.size ?? 0) > 1]));
      const pieces = [...texts].map(
        ([text, isTwice], index) =>
          markup`${index === 0 ? "" : ", "}${text}${isTwice ? markup` ${badge("fail", "clash")}` : markup``}`,
      );
      return markup`<td>${ports.length === 0 ? markup`<span class="soft">–</span>` : pieces}</td>`;
    });
    return markup`<th scope="row"><a href="#${anchorOf(framework)}">${framework}</a></th>${cells}`;
  });
  const head = markup`<th scope="col">Framework</th>${services.map((name) => markup`<th scope="col">${name}</th>`)}`;
  const isOpen = all.some(({ address }) => !LOOPBACK.test(address));
  const note = isOpen
    ? "Only this host can reach a port without an address; other hosts may reach one with an address."
    : "Only this host can reach them.";
  return markup`<p>${note}</p>
${table("Published ports by framework and service", head, rows)}`;
}

/** A port that only this host can reach is shown without its address. */
function shortText({ address, port, protocol }: PublishedPort): string {
  if (!LOOPBACK.test(address)) return placeText(address, port, protocol);
  return `${String(port)}${protocol === "tcp" ? "" : `/${protocol}`}`;
}

function keyOf({ protocol, port }: PublishedPort): string {
  return `${protocol}/${String(port)}`;
}
