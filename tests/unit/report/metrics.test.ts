import { expect, it } from "vitest";

import { metricsOf } from "../../../src/report/validation/metrics.ts";

it("writes metrics as Prometheus reads them, whatever names are in them", () => {
  const finding = {
    rule: "r",
    severity: "error",
    service: null,
    file: null,
    line: null,
    key: null,
    message: "",
    fix: "",
  } as const;
  const probe = { service: "qdrant", message: "", hint: "", ms: 1500 };
  const text = metricsOf(
    {
      frameworks: [
        {
          name: 'a"\\b',
          findings: [{ ...finding, outcome: "fail" }],
          probes: [
            { ...probe, id: "state", outcome: "pass" },
            { ...probe, id: "disk", outcome: "unknown" },
          ],
        },
      ],
      summary: { pass: 0, fail: 1, unknown: 1, waived: 0 },
      notes: [],
    },
    1_800_000_000_999,
  );
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  const name = 'framework="a\\"\\\\b"';
  expect(lines).toEqual([
    "framework_infra_validate_timestamp_seconds 1800000000",
    `framework_infra_findings{${name},outcome="fail"} 1`,
    `framework_infra_findings{${name},outcome="unknown"} 0`,
    `framework_infra_findings{${name},outcome="waived"} 0`,
    `framework_infra_probe_passed{${name},service="qdrant",probe="state"} 1`,
    `framework_infra_probe_passed{${name},service="qdrant",probe="disk"} 0`,
    `framework_infra_probe_asked{${name},service="qdrant",probe="state"} 1`,
    `framework_infra_probe_asked{${name},service="qdrant",probe="disk"} 0`,
    `framework_infra_probe_seconds{${name},service="qdrant",probe="state"} 1.5`,
    `framework_infra_probe_seconds{${name},service="qdrant",probe="disk"} 1.5`,
    "",
  ]);
  expect(text).toMatch(
    /^# HELP framework_infra_findings How many findings there are\.\n# TYPE framework_infra_findings gauge$/m,
  );
});
