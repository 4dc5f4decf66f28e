import { describe, expect, it } from "vitest";

import { overviewOf } from "../../../src/compose/overview.ts";
import { stackOf } from "../../../src/compose/stack.ts";
import type { FrameworkVerdict } from "../../../src/flow/validate.ts";
import type { Probed } from "../../../src/probes/probe.ts";
import { ageText } from "../../../src/report/page/age.ts";
import { markup } from "../../../src/report/page/markup.ts";
import { pageOf } from "../../../src/report/page/page.ts";
import { verdictOf } from "../../../src/report/page/verdict.ts";
import type { Finding } from "../../../src/rules/rule.ts";

const TIME = Date.parse("2026-11-27T12:00:00Z");

const COMPOSE = `
services:
  web: { image: web, networks: [front, back], ports: ["127.0.0.1:8080:80", "[::1]:8080:80"] }
  db: { image: db, networks: [back], ports: ["0.0.0.0:5432:5432"] }
  lonely: { image: x, networks: [own] }
  host: { image: x, network_mode: host }
  plain: { image: x, ports: ["53:53/udp"] }
networks:
  front: {}
  back: { internal: true }
  own: { name: shared, external: true }
`;

function viewOf(text = COMPOSE, project = "crewai"): NonNullable<FrameworkVerdict["stack"]> {
  const { compose } = stackOf([{ file: "compose.yaml", text }], () => undefined, "/x");
  return { overview: overviewOf(compose, project), lastBackup: undefined };
}

function finding(changes: Partial<Finding>): Finding {
  return {
    rule: "loopback",
    severity: "error",
    outcome: "fail",
    service: "web",
    file: "compose.yaml",
    line: 3,
    key: null,
    message: "is open",
    fix: "close it",
    ...changes,
  };
}

function probe(changes: Partial<Probed>): Probed {
  return { id: "state", service: "web", outcome: "pass", ms: 1, message: "running", hint: "", ...changes };
}

function framework(changes: Partial<FrameworkVerdict> = {}): FrameworkVerdict {
  return {
    name: "crewai",
    findings: [],
    probes: [],
    stack: viewOf(),
    ...changes,
  };
}

function page(...frameworks: FrameworkVerdict[]): string {
  const summary = { pass: 10, fail: 0, unknown: 0, waived: 1 };
  return pageOf({
    result: { frameworks, summary, notes: [] },
    rules: [],
    version: "1.2.3",
    time: TIME,
    at: "2026-11-27T12:00:00.000Z",
  });
}

/** What stands in a cell or elsewhere, without its markup. */
function textIn(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}

describe("the page", () => {
  it("escapes whatever came from a file or a server, in text and in attributes", () => {
    const nasty = `"><img src=x onerror='a'>&\u001b[31m`;
    const html = page(
      framework({
        name: nasty,
        findings: [finding({ message: nasty, fix: nasty, file: nasty, service: nasty, rule: nasty })],
        probes: [probe({ id: nasty, message: nasty, hint: nasty, outcome: "fail" }), probe({ message: nasty })],
        stack: viewOf(
          JSON.stringify({ services: { [nasty]: { networks: [nasty], image: nasty, ports: [`${nasty}:1:1`] } } }),
          nasty,
        ),
      }),
    );
    expect(html).not.toContain("<img");
    expect(html).not.toContain("\u001b");
    // No attribute was ended by it: every one of its quotes stands escaped.
    expect(html.split(`"&gt;`)).toHaveLength(1);
    expect(html).toContain("&quot;&gt;&lt;img src=x onerror=&apos;a&apos;&gt;&amp;\\u001b[31m");
  });

  it("asks nobody for anything", () => {
    const html = page(framework());
    expect(html).not.toMatch(/<(?:script|link|img|iframe|object|embed)\b|url\(|@import|\bsrc=|https?:/i);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(html).toContain("<style>\n:root");
  });

  it("shows what each service publishes, and what is open to other hosts", () => {
    const html = page(framework());
    const ports = textIn(/<h2 id="ports">.*?<\/section>/s.exec(html)?.[0] ?? "");
    expect(ports).toContain("crewai 8080 0.0.0.0:5432 every port that it listens on 0.0.0.0:53/udp");
    expect(ports).not.toContain("clash");
    expect(ports).toContain("Other hosts may reach what has an address");
  });

  it("marks a port that two frameworks have, and no other", () => {
    const html = page(framework(), framework({ name: "dspy" }));
    expect(html.match(/clash/g)).toHaveLength(6);
    const stack = viewOf("services: {a: {ports: ['127.0.0.1:1:1']}}");
    const other = page(framework(), framework({ name: "dspy", stack }));
    expect(other).not.toContain("clash");
    expect(other).not.toContain("Only this host can reach them");
    expect(page(framework({ stack }))).toContain("Only this host can reach them");
  });

  it.each([
    ["a port that the engine chooses", 'ports: ["6333"]', "a port that the engine chooses"],
    ["one in the long syntax", "ports: [{ target: 80 }]", "a port that the engine chooses"],
    [
      "too many to be listed",
      'ports: ["1-65535:1-65535", "127.0.0.1:80:80"]',
      "127.0.0.1:80, more ports than are listed",
    ],
    ["a range", 'ports: ["8000-8010:8000-8010"]', "0.0.0.0:8000-8010"],
    ["the host's own network", "network_mode: host", "every port that it listens on"],
  ])("never calls a service closed that is not: %s", (_, keys, text) => {
    const html = page(framework({ stack: viewOf(`services:\n  a:\n    image: x\n    ${keys}\n`) }));
    expect(textIn(html)).toContain(`a ${text}`);
    expect(html).not.toContain("Only this host can reach them");
    expect(html).not.toContain("publishes nothing");
  });

  it.each([
    [
      "extends of another file",
      "services: { a: { image: x, extends: { file: base.yaml, service: b } } }",
      "a what another file says, which is not read",
    ],
    [
      "the host's network by its name",
      "services: { a: { image: x, networks: [h] } }\nnetworks: { h: { external: true, name: host } }",
      "a every port that it listens on",
    ],
    [
      "macvlan",
      "services: { a: { image: x, networks: [h] } }\nnetworks: { h: { driver: macvlan } }",
      "a every port, at an address of its own",
    ],
    [
      "include",
      "services: { a: { image: x, ports: ['127.0.0.1:1:1'] } }\ninclude: [db.yaml]",
      "crewai includes other files; what they publish is not known",
    ],
    ["include, and nothing else", "services: { a: { image: x } }\ninclude: [db.yaml]", "crewai includes other files"],
  ])("does not call closed what it does not see: %s", (_, text, wanted) => {
    const html = page(framework({ stack: viewOf(text) }));
    expect(textIn(html)).toContain(wanted);
    expect(html).not.toMatch(/Only this host can reach them\.|No port is published/);
  });

  it("stays readable, and small, with many services on one network", () => {
    const names = Array.from({ length: 1000 }, (_, index) => `s${String(index)}`);
    const services = Object.fromEntries(names.map((name) => [name, { image: "x", ports: ["127.0.0.1::80"] }]));
    const html = page(framework({ stack: viewOf(JSON.stringify({ services })) }));
    expect(html.length).toBeLessThan(1_000_000);
    expect(html).toContain("too many services to be drawn");
    expect(html).toContain(
      "s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17, s18, s19, s20 and more",
    );
  });

  it("has a drawing with a line for each network, and words for those who cannot see it", () => {
    const html = page(framework());
    expect(html).toContain('aria-label="crewai: its services, and the networks that each is on"');
    expect(html.match(/class="(?:rail|open)"/g)).toHaveLength(4);
    expect(html.match(/class="dot"/g)).toHaveLength(5);
    const rows = textIn(/<h3>Services.*?<\/table>/s.exec(html)?.[0] ?? "");
    expect(rows).toContain("web 127.0.0.1:8080, [::1]:8080 db");
    expect(rows).toContain("host every port that it listens on network_mode: host");
    expect(rows).toContain("lonely nothing none");
  });

  it("shows health, memory and disk where the stack was asked", () => {
    const probes = [
      probe({}),
      probe({ id: "memory", message: "uses 43% of its 1.0 GiB", share: 0.43 }),
      probe({ id: "disk", outcome: "unknown", message: "cannot be asked", hint: "df" }),
      probe({ service: "db", outcome: "fail", message: "is stopped", hint: "start it" }),
    ];
    const html = page(framework({ probes }));
    expect(html).toContain('value="0.43" aria-label="memory in use"');
    expect(html).toContain('class="strip-fail"');
    const text = textIn(html);
    expect(text).toContain("web ✓ pass running uses 43% of its 1.0 GiB ? unknown cannot be asked");
    expect(text).toContain("1 of 2 none");
    expect(text).toContain("✗ fail db state is stopped Fix: start it.");
    expect(text).toContain("2 of 4 probes passed");
    // A page of files alone has no empty columns.
    const still = textIn(page(framework()));
    expect(still).not.toContain("Memory");
    expect(still).not.toContain("Healthy services");
  });

  it("shows findings with their fix, and waived ones apart", () => {
    const html = page(
      framework({ findings: [finding({}), finding({ outcome: "waived", message: "is waived", fix: "never shown" })] }),
    );
    expect(textIn(html)).toContain("✗ error web is open compose.yaml:3 loopback Fix: close it.");
    expect(textIn(html)).toContain("1 waived");
    expect(html).not.toContain("never shown");
  });

  it("has a section for a directory that cannot be read, and a page without frameworks", () => {
    expect(page(framework({ stack: undefined }))).toContain("cannot be read");
    expect(page()).toContain("There is no framework yet");
    expect(page(framework({ stack: viewOf("{}") }))).toContain("has no services");
  });

  it("says how old the last backup is", () => {
    const lastBackup = { id: "20261127T090000Z", time: TIME - 3 * 3_600_000 };
    const html = page(framework({ stack: { ...viewOf(), lastBackup } }));
    expect(textIn(html)).toContain("Last backup: set 20261127T090000Z , 3 hours ago.");
  });
});

describe("figures", () => {
  const figure = { median: 1.234, least: 0.0567, most: 99.6 };
  const measured = (comparison?: "slower" | "faster" | "same"): string => {
    const measure = {
      id: "db.lookup",
      service: "db",
      title: "one row is read",
      p50: figure,
      p95: { median: 99.4, least: 100, most: 0 },
      before:
        comparison === undefined ? undefined : { p50: figure, p95: figure, at: "2026-11-20T12:00:00Z", comparison },
    };
    return textIn(page(framework({ measured: { measures: [measure], problems: ["x could not be measured"] } })));
  };

  it("are shown with their noise, and against the baseline where there is one", () => {
    expect(measured()).toContain(
      "db.lookup one row is read 1.2 ms (0.057 to 100) 99 ms (100 to 0.0) no baseline ? unknown x could not be measured",
    );
    expect(measured("same")).toContain("as on 2026-11-20");
    expect(measured("slower")).toContain("! slower than on 2026-11-20 12:00 UTC before: 1.2 ms (0.057 to 100)");
    expect(measured("faster")).toContain("✓ faster than on 2026-11-20");
  });
});

describe("parts of it", () => {
  it.each([
    [-1, "dated in the future"],
    [59_000, "just now"],
    [60_000, "1 minute ago"],
    [3_600_000, "1 hour ago"],
    [47 * 3_600_000, "47 hours ago"],
    [48 * 3_600_000, "2 days ago"],
  ])("%i ms are %s", (ms, text) => {
    expect(ageText(ms)).toBe(text);
  });

  it.each<[string, Partial<FrameworkVerdict>, string]>([
    ["nothing", {}, "pass"],
    ["something good to know", { findings: [finding({ severity: "info" })] }, "pass"],
    ["a warning", { findings: [finding({ severity: "warning" })] }, "warning"],
    [
      "an unknown finding",
      { findings: [finding({ severity: "warning" }), finding({ outcome: "unknown" })] },
      "unknown",
    ],
    ["an error", { findings: [finding({ outcome: "unknown" }), finding({})] }, "fail"],
    ["a waived error", { findings: [finding({ outcome: "waived" })] }, "pass"],
    ["a measure that failed", { measured: { measures: [], problems: ["x"] } }, "unknown"],
    ["an unknown probe", { probes: [probe({ outcome: "unknown" })] }, "unknown"],
    ["a failed probe", { probes: [probe({ outcome: "unknown" }), probe({ outcome: "fail" })] }, "fail"],
  ])("of a framework with %s, the word is the worst", (_, changes, word) => {
    expect(verdictOf(framework(changes))).toBe(word);
  });

  it("takes markup as it is, and lists of it, and escapes the rest", () => {
    expect(markup`<b>${"<"}${markup`<i>${1}</i>`}${[markup`<u/>`]}${undefined}</b>`.text).toBe(
      "<b>&lt;<i>1</i><u/></b>",
    );
  });
});
