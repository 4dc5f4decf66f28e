import type { ValidateResult } from "../../flow/validate.ts";
import type { RuleInfo } from "../../rules/rule.ts";

/** Everything that a report is made of. */
export interface Report {
  result: ValidateResult;
  rules: readonly RuleInfo[];
  /** The program's version. */
  version: string;
  /** When it was judged, in milliseconds since 1970. */
  time: number;
  /** The same as 2027-03-31T12:00:00.000Z. */
  at: string;
}
