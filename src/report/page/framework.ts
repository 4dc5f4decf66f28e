import type { NetworkOverview, ServiceOverview, StackOverview } from "../../compose/overview.ts";
import type { FrameworkVerdict, StackView } from "../../flow/validate.ts";
import type { Probed } from "../../probes/probe.ts";
import type { Finding, RuleInfo } from "../../rules/rule.ts";
import { placeOf, probeName, sentenceOf } from "../validation/words.ts";
import { ageText } from "./age.ts";
import { latencyPart } from "./latency.ts";
import { drawingOf, KINDS } from "./drawing.ts";
import { markup, type Markup } from "./markup.ts";
import { publishedText } from "./ports.ts";
import { anchorOf, badge, MOST_NAMES, numberHead, table, verdictOf } from "./verdict.ts";

/** All that is known of one framework. @param time of the report, in milliseconds since 1970 */
export function frameworkSection(verdict: FrameworkVerdict, rules: readonly RuleInfo[], time: number): Markup {
  const { name, findings, probes, measured, stack } = verdict;
  return markup`<section aria-labelledby="${anchorOf(name)}">
<h2 id="${anchorOf(name)}">${name} ${badge(verdictOf(verdict))}</h2>
${stack === undefined ? markup`<p>Its directory cannot be read, so there is no more to show.</p>\n` : stackPart(verdict, stack, time)}
<h3>Findings</h3>
${findingsPart(findings, rules)}
<h3>Probes</h3>
${stack === undefined ? markup`<p>A directory that cannot be read has no probes.</p>\n` : probesPart(probes)}
${measured === undefined ? markup`` : latencyPart(measured, name)}<p class="back"><a href="#all">Back to all frameworks</a></p>
</section>
`;
}

function stackPart({ name, probes }: FrameworkVerdict, { overview, lastBackup }: StackView, time: number): Markup {
  const { services, networks } = overview;
  const backup =
    lastBackup === undefined
      ? markup`No backup set counts: there is none, or none is where it belongs. <code>scripts/list-backups.sh</code> shows them.`
      : markup`Last backup: set <code>${lastBackup.id}</code>, ${ageText(time - lastBackup.time)}.`;
  if (services.length === 0) return markup`<p>${[backup]}</p>\n<p>Its Compose file has no services.</p>\n`;
  const asked = new Map(probes.map((probe) => [`${probe.service} ${probe.id}`, probe]));
  const states = new Map(probes.flatMap(({ id, service, outcome }) => (id === "state" ? [[service, outcome]] : [])));
  const label = `${name}: its services, and the networks that each is on`;
  return markup`<p>${[backup]}</p>
<div class="stack">
${drawingOf(overview, states, label)}<ol class="networks">
${networks.map((network) => markup`<li><code>${network.name}</code>: ${KINDS[network.kind]}</li>\n`)}</ol>
</div>
<h3>Services</h3>
${servicesTable(overview, asked, name)}`;
}

/** @param asked probes by `SERVICE PROBE`; none where the stack was not asked */
function servicesTable(
  { services, networks }: StackOverview,
  asked: ReadonlyMap<string, Probed>,
  name: string,
): Markup {
  const isLive = asked.size > 0;
  const rows = services.map((service) => {
    const probe = (id: string): Probed | undefined => asked.get(`${service.name} ${id}`);
    const published = publishedText(service.published);
    const found = isLive
      ? markup`<td>${state(probe("state"))}</td><td>${use(probe("memory"), "memory")}</td><td>${use(probe("disk"), "disk")}</td>`
      : markup``;
    return markup`<th scope="row">${service.name}</th>${found}<td>${published === "" ? "nothing" : published}</td><td>${neighbours(service, networks)}</td>`;
  });
  const heads = [
    "Service",
    ...(isLive ? ["State", "Memory", "Disk"] : []),
    "Published on this host",
    "Shares a network with",
  ];
  return table(`Services of ${name}`, heads, rows);
}

/** The services that share a network with one, so may open connections to it and it to them. */
function neighbours({ name, networkMode }: ServiceOverview, networks: readonly NetworkOverview[]): string {
  if (networkMode !== undefined) return `network_mode: ${networkMode}`;
  const found = new Set<string>();
  for (const { services } of networks) {
    if (!services.includes(name)) continue;
    for (const other of services) {
      if (other !== name) found.add(other);
      if (found.size > MOST_NAMES) return `${[...found].slice(0, MOST_NAMES).join(", ")} and more`;
    }
  }
  return found.size === 0 ? "none" : [...found].join(", ");
}

const NOT_ASKED = markup`<span class="soft">not asked</span>`;

function state(probe: Probed | undefined): Markup {
  return probe === undefined ? NOT_ASKED : markup`${badge(probe.outcome)} ${probe.message}`;
}

/** How much is in use of what there is, where that is known. */
function use(probe: Probed | undefined, what: string): Markup {
  if (probe === undefined) return NOT_ASKED;
  const { share, outcome, message } = probe;
  const bar =
    share === undefined
      ? markup``
      : markup`<meter min="0" max="1" high="0.8" optimum="0" value="${share.toFixed(2)}" aria-label="${what} in use"></meter> `;
  return markup`${outcome === "pass" ? markup`` : markup`${badge(outcome)} `}${bar}${message}`;
}

function findingsPart(findings: readonly Finding[], rules: readonly RuleInfo[]): Markup {
  const open = findings.filter(({ outcome }) => outcome !== "waived");
  const waived = findings.filter(({ outcome }) => outcome === "waived");
  const why = new Map(rules.map((rule) => [rule.id, rule]));
  const item = (finding: Finding): Markup => {
    const word = finding.outcome === "fail" ? finding.severity : finding.outcome;
    const place = placeOf(finding);
    const rule = why.get(finding.rule);
    return markup`<li>${badge(word)} ${sentenceOf(finding)} ${place === undefined ? markup`` : markup`<code>${place}</code> `}<span class="soft">${finding.rule}</span><br>
${finding.outcome === "waived" ? markup`` : markup`Fix: ${finding.fix}.`}
${rule === undefined ? markup`` : markup`<details><summary>Why</summary><p>${rule.why}</p></details>`}</li>
`;
  };
  const list = (all: readonly Finding[]): Markup => markup`<ul class="findings">\n${all.map(item)}</ul>\n`;
  return markup`${open.length === 0 ? markup`<p>${badge("pass", "none")} Every rule that is not waived is kept.</p>\n` : list(open)}${
    waived.length === 0
      ? markup``
      : markup`<details><summary>${waived.length} waived</summary>\n${list(waived)}</details>\n`
  }`;
}

function probesPart(probes: readonly Probed[]): Markup {
  if (probes.length === 0)
    return markup`<p>The running stack was not asked: <code>npm run validate -- --live --report FILE.html</code> asks it.</p>\n`;
  const bad = probes.filter(({ outcome }) => outcome !== "pass");
  const list = bad.map((probe, index) => {
    // What helps several in a row is said once, as on a terminal.
    const fix = bad[index + 1]?.hint === probe.hint ? markup`` : markup`<br>\nFix: ${probe.hint}.`;
    return markup`<li>${badge(probe.outcome)} <strong>${probeName(probe)}</strong> ${probe.message}${fix}</li>\n`;
  });
  const heads = ["Result", "Probe", "What was found", numberHead("Milliseconds")];
  const rows = probes.map(
    (probe) =>
      markup`<td>${badge(probe.outcome)}</td><th scope="row">${probeName(probe)}</th><td>${probe.message}</td><td class="number">${probe.ms}</td>`,
  );
  return markup`${list.length === 0 ? markup`` : markup`<ul class="findings">\n${list}</ul>\n`}<details><summary>${probes.length - bad.length} of ${probes.length} probes passed</summary>
${table("Probes", heads, rows)}</details>
`;
}
