import type { ValidateResult } from "../flow/validate.ts";
import { isoTime, now } from "../host/machine.ts";
import { RULES } from "../rules/judge.ts";
import type { Context } from "./context.ts";
import { reportsOf } from "./validate-flags.ts";

/** Writes the reports that are asked for. @returns their files */
export async function writeReports(result: ValidateResult, context: Context): Promise<string[]> {
  const time = now();
  const report = { result, rules: RULES, version: context.place.provenance().program, time, at: isoTime(time) };
  const reports = reportsOf(context);
  for (const { file, format } of reports) {
    const { writeReport } = await import("../apply/report-file.ts");
    writeReport(context.cwd, file, await format(report));
  }
  return reports.map(({ file }) => file);
}
