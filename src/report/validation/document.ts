import type { ValidateResult } from "../../flow/validate.ts";
import type { ValidateDocument } from "../documents.ts";

/** The document of `validate --json`. */
export function validateDocumentOf({ frameworks, summary }: ValidateResult): ValidateDocument {
  return {
    schemaVersion: 1,
    frameworks: frameworks.map(({ name, findings, probes }) => ({
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
    })),
    summary,
  };
}
