import type { ValidateResult } from "../../flow/validate.ts";
import { visible, visibleLines } from "../../lib/visible.ts";
import type { Finding } from "../../rules/rule.ts";
import { escapedText } from "../page/markup.ts";
import { validateDocumentOf } from "./document.ts";
import { metricsOf } from "./metrics.ts";
import type { Report } from "./report.ts";
import { placeOf, probeName, sentenceOf, sourcesOf, summaryLine } from "./words.ts";

/** How a report can be written, by the ending of its file. */
export const FORMATS: Readonly<Record<string, (report: Report) => string | Promise<string>>> = {
  html: async (report) => (await import("../page/page.ts")).pageOf(report),
  json: ({ result }) => `${visibleLines(JSON.stringify(validateDocumentOf(result), null, 2))}\n`,
  md: markdown,
  xml: junit,
  sarif,
  prom: ({ result, time }) => metricsOf(result, time),
};

type Placed = Finding & { framework: string };

function placed({ frameworks }: ValidateResult): Placed[] {
  return frameworks.flatMap(({ name, findings }) => findings.map((finding) => ({ ...finding, framework: name })));
}

const LEVELS = { error: "error", warning: "warning", info: "note" } as const;

/** SARIF 2.1.0: what code hosts show beside a line. */
function sarif({ result, rules, version }: Report): string {
  const index = new Map(rules.map(({ id }, at) => [id, at]));
  const document = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "framework-infra",
            version,
            rules: rules.map((rule) => ({
              id: rule.id,
              shortDescription: { text: rule.title },
              fullDescription: { text: rule.why },
              help: { text: [`${rule.fix}.`, ...sourcesOf(rule)].join("\n") },
              defaultConfiguration: { level: LEVELS[rule.severity] },
            })),
          },
        },
        results: placed(result).map((finding) => ({
          ruleId: finding.rule,
          ruleIndex: index.get(finding.rule) ?? -1,
          level: finding.outcome === "unknown" ? "none" : LEVELS[finding.severity],
          kind: finding.outcome === "unknown" ? "open" : "fail",
          message: { text: visible(textOf(finding)) },
          ...(finding.file === null ? {} : { locations: [location(finding.file, finding.line)] }),
          ...(finding.outcome === "waived" ? { suppressions: [{ kind: "external" }] } : {}),
          // The same finding on another line is still the same.
          partialFingerprints: {
            "finding/v1": [
              finding.framework,
              finding.rule,
              finding.service ?? "",
              finding.key ?? "",
              visible(finding.message),
            ].join("/"),
          },
        })),
        columnKind: "utf16CodeUnits",
      },
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function location(file: string, line: number | null): object {
  const uri = file.split("/").map(encodeURIComponent).join("/");
  return {
    physicalLocation: { artifactLocation: { uri }, ...(line === null ? {} : { region: { startLine: line } }) },
  };
}

function textOf(finding: Placed): string {
  const { framework, service, fix } = finding;
  return `${service === null ? `${framework} ` : ""}${sentenceOf(finding)}. ${fix}.`;
}

/** JUnit: a suite for each framework, a case for each finding and each probe, or one if all rules were kept. */
function junit({ result }: Report): string {
  const suites = result.frameworks.map(({ name, findings, probes }) => {
    const asked = probes.map((probe) => {
      const { outcome, message, hint, ms } = probe;
      const head = `<testcase classname="${escapedText(name)}" name="${escapedText(probeName(probe))}" time="${(ms / 1000).toFixed(3)}"`;
      const text = escapedText(`${message}. ${hint}.`);
      if (outcome === "pass") return `${head}/>`;
      if (outcome === "unknown") return `${head}><error type="unknown" message="${text}"/></testcase>`;
      return `${head}><failure type="probe" message="${text}"/></testcase>`;
    });
    const judged = findings.map((finding) => {
      const head = `<testcase classname="${escapedText(name)}" name="${escapedText(`${finding.rule}${finding.service === null ? "" : ` ${finding.service}`}`)}">`;
      const at = placeOf(finding);
      const text = escapedText(`${at === undefined ? "" : `${at}: `}${finding.message}. ${finding.fix}.`);
      if (finding.outcome === "waived") return `${head}<skipped message="${text}"/></testcase>`;
      if (finding.outcome === "unknown") return `${head}<error type="unknown" message="${text}"/></testcase>`;
      return `${head}<failure type="${finding.severity}" message="${text}"/></testcase>`;
    });
    const cases = [...judged, ...asked];
    if (cases.length === 0) cases.push(`<testcase classname="${escapedText(name)}" name="all rules"/>`);
    const count = (wanted: Finding["outcome"]): string =>
      String([...findings, ...probes].filter(({ outcome }) => outcome === wanted).length);
    return `  <testsuite name="${escapedText(name)}" tests="${String(cases.length)}" failures="${count("fail")}" errors="${count("unknown")}" skipped="${count("waived")}">\n${cases.map((each) => `    ${each}\n`).join("")}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="framework-infra validate">\n${suites.join("")}</testsuites>\n`;
}

/** For a pull request. */
function markdown({ result }: Report): string {
  const rows = placed(result).map((finding) => {
    const word = finding.outcome === "fail" ? finding.severity : finding.outcome;
    const where = placeOf(finding) ?? finding.framework;
    return `| ${[word, code(finding.rule), code(where), code(sentenceOf(finding)), code(finding.fix)].join(" | ")} |`;
  });
  const head = ["# Validation", "", `${summaryLine(result)}.`, ""];
  const found =
    rows.length === 0
      ? ["Nothing was found.", ""]
      : ["| | rule | place | finding | fix |", "|---|---|---|---|---|", ...rows, ""];
  const asked = result.frameworks.flatMap(({ name, probes }) =>
    probes.map((probe) => {
      const { outcome, message, hint, ms } = probe;
      const cells = [
        outcome,
        code(name),
        code(probeName(probe)),
        code(message),
        String(ms),
        hint === "" ? "" : code(hint),
      ];
      return `| ${cells.join(" | ")} |`;
    }),
  );
  if (asked.length === 0) return [...head, ...found].join("\n");
  return [
    ...head,
    ...found,
    "| | framework | probe | result | ms | hint |",
    "|---|---|---|---|---|---|",
    ...asked,
    "",
  ].join("\n");
}

/** Text of anybody, as code: nothing in it is markup, a link or a mention, and it cannot end the cell. */
function code(text: string): string {
  const harmless: Record<string, string> = { "`": "'", "|": "¦", "\\": "/" };
  return `\`${visible(text).replaceAll(/[`|\\]/g, (letter) => harmless[letter] ?? letter)}\``;
}
