import { doctor, type DoctorRequest, type DoctorResult } from "../flow/doctor.ts";
import { EXIT, usageError } from "../lib/errors.ts";
import { doctorError, showDoctor, showDoctorReport } from "../report/doctor.ts";
import type { Command } from "./context.ts";

export const command: Command<DoctorRequest, never, DoctorResult> = {
  read: async ({ flags, place, env, out }) => {
    const [unexpected] = flags.positionals;
    if (unexpected !== undefined)
      throw usageError(`unexpected argument "${unexpected}"`, "see npm run doctor -- --help");
    if (flags.isSet("report") && out.json)
      throw usageError("--report and --json cannot be used together", "choose one");
    return Promise.resolve({ request: { place, env } });
  },
  run: doctor,
  present: async (result, { flags, out, place }) => {
    if (result === undefined) return EXIT.ok;
    if (flags.isSet("report")) {
      showDoctorReport(result, place.provenance().program, out);
      return EXIT.ok;
    }
    showDoctor(result, out);
    const error = doctorError(result);
    if (error !== undefined) throw error;
    return Promise.resolve(EXIT.ok);
  },
};
