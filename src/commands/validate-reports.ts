import type { ValidateResult } from "../flow/validate.ts";
import { isoTime, now } from "../host/machine.ts";
import { UserError } from "../lib/errors.ts";
import { RULES } from "../rules/judge.ts";
import type { Context } from "./context.ts";
import { reportsOf } from "./validate-flags.ts";

/** What became of the reports that are asked for: one that cannot be written does not stop the others. */
interface Written {
  files: readonly string[];
  problems: readonly UserError[];
}

/** Writes the reports that are asked for. */
export async function writeReports(result: ValidateResult, context: Context): Promise<Written> {
  const time = now();
  const report = { result, rules: RULES, version: context.place.provenance().program, time, at: isoTime(time) };
  const reports = reportsOf(context);
  const files: string[] = [];
  const problems: UserError[] = [];
  for (const { file, format } of reports) {
    const { writeReport } = await import("../apply/report-file.ts");
    const text = await format(report);
    try {
      writeReport(context.cwd, file, text);
      files.push(file);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(error);
    }
  }
  return { files, problems };
}

/** @throws UserError exit 2 for a report that cannot be written where it is wanted */
export async function requirePlaces(reports: readonly { file: string }[], { cwd }: Context): Promise<void> {
  if (reports.length === 0) return;
  const { requireReportPlace } = await import("../apply/report-file.ts");
  for (const { file } of reports) requireReportPlace(cwd, file);
}
