import type { Measured } from "../../probes/latency.ts";
import type { ValidateResult } from "../../flow/validate.ts";
import type { ValidateDocument } from "../documents.ts";

/** The document of `validate --json`. */
export function validateDocumentOf({ frameworks, summary }: ValidateResult): ValidateDocument {
  return {
    schemaVersion: 1,
    frameworks: frameworks.map(({ name, findings, probes, measured }) => ({
      name,
      findings: [...findings],
      probes: probes.map(({ id, service, outcome, ms, message, hint }) => ({
        id,
        service,
        outcome,
        ms,
        message,
        hint,
      })),
      ...(measured === undefined
        ? {}
        : { measures: measured.measures.map(measureOf), unmeasured: [...measured.problems] }),
    })),
    summary,
  };
}

function measureOf({ id, service, p50, p95, before }: Measured): MeasureDocument {
  return {
    id,
    service,
    p50,
    p95,
    baseline: before === undefined ? null : { at: before.at, p50: before.p50, p95: before.p95 },
    comparison: before?.comparison ?? null,
  };
}

type MeasureDocument = NonNullable<ValidateDocument["frameworks"][number]["measures"]>[number];
