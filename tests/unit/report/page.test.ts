import { describe, expect, it } from "vitest";

import { stackOf } from "../../../src/compose/stack.ts";
import type { FrameworkVerdict } from "../../../src/flow/validate.ts";
import type { Probed } from "../../../src/probes/probe.ts";
import { ageText } from "../../../src/report/page/age.ts";
import { neighboursOf, railsOf } from "../../../src/report/page/drawing.ts";
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

function compose(text = COMPOSE): NonNullable<FrameworkVerdict["stack"]>["compose"] {
  return stackOf([{ file: "compose.yaml", text }], () => undefined, "/x").compose;
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
    stack: { compose: compose(), project: "crewai", lastBackup: undefined },
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
        stack: {
          compose: compose(
            JSON.stringify({ services: { [nasty]: { networks: [nasty], image: nasty, ports: [`${nasty}:1:1`] } } }),
          ),
          project: nasty,
          lastBackup: undefined,
        },
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
    expect(ports).toContain("crewai 8080 0.0.0.0:5432 0.0.0.0:53/udp");
    expect(ports).not.toContain("clash");
    expect(ports).toContain("other hosts may reach one with an address");
  });

  it("marks a port that two frameworks have, and no other", () => {
    const html = page(framework(), framework({ name: "dspy" }));
    expect(html.match(/clash/g)).toHaveLength(6);
    const stack = {
      compose: compose("services: {a: {ports: ['127.0.0.1:1:1']}}"),
      project: "x",
      lastBackup: undefined,
    };
    const other = page(framework(), framework({ name: "dspy", stack }));
    expect(other).not.toContain("clash");
    expect(other).not.toContain("Only this host can reach them");
    expect(page(framework({ stack }))).toContain("Only this host can reach them");
  });

  it("has a drawing with a line for each network, and words for those who cannot see it", () => {
    const html = page(framework());
    expect(html).toContain('aria-label="crewai: its services, and the networks that each is on"');
    expect(html.match(/class="(?:rail|open)"/g)).toHaveLength(4);
    expect(html.match(/class="dot"/g)).toHaveLength(5);
    const rows = textIn(/<h3>Services.*?<\/table>/s.exec(html)?.[0] ?? "");
    expect(rows).toContain("web 127.0.0.1:8080, [::1]:8080 db");
    expect(rows).toContain("host nothing the network of host");
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
    expect(page(framework({ stack: { compose: compose("{}"), project: "x", lastBackup: undefined } }))).toContain(
      "has no services",
    );
  });

  it("says how old the last backup is", () => {
    const lastBackup = { id: "20261127T090000Z", time: TIME - 3 * 3_600_000 };
    const html = page(framework({ stack: { compose: compose(), project: "x", lastBackup } }));
    expect(textIn(html)).toContain("Last backup: set 20261127T090000Z , 3 hours ago.");
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
    ["a warning", { findings: [finding({ severity: "warning" })] }, "warning"],
    [
      "an unknown finding",
      { findings: [finding({ severity: "warning" }), finding({ outcome: "unknown" })] },
      "unknown",
    ],
    ["an error", { findings: [finding({ outcome: "unknown" }), finding({})] }, "fail"],
    ["a waived error", { findings: [finding({ outcome: "waived" })] }, "pass"],
    ["an unknown probe", { probes: [probe({ outcome: "unknown" })] }, "unknown"],
    ["a failed probe", { probes: [probe({ outcome: "unknown" }), probe({ outcome: "fail" })] }, "fail"],
  ])("of a framework with %s, the word is the worst", (_, changes, word) => {
    expect(verdictOf(framework(changes))).toBe(word);
  });

  it("lists networks as the engine knows them, those to other hosts first", () => {
    const rails = railsOf(compose(), "app");
    expect(rails.map(({ name, kind }) => [name, kind])).toEqual([
      ["app_front", "bridge"],
      ["app_default", "bridge"],
      ["shared", "external"],
      ["app_back", "internal"],
    ]);
    expect(neighboursOf("web", rails)).toEqual(["db"]);
    expect(neighboursOf("host", rails)).toEqual([]);
  });

  it("takes markup as it is, and lists of it, and escapes the rest", () => {
    expect(markup`<b>${"<"}${markup`<i>${1}</i>`}${[markup`<u/>`]}${undefined}</b>`.text).toBe(
      "<b>&lt;<i>1</i><u/></b>",
    );
  });
});
