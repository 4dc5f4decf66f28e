import type { DoctorResult } from "../flow/doctor.ts";
import { EXIT, UserError } from "../lib/errors.ts";
import type { CheckResult } from "../rules/host.ts";
import { styled, type Output, type Styled } from "./output.ts";

const WORDS: Record<CheckResult["outcome"], Styled> = {
  pass: styled("pass   ", "green"),
  fail: styled("fail   ", "red"),
  unknown: styled("unknown", "yellow"),
};

/** The checks, each with what helps. */
export function showDoctor({ checks, notes }: DoctorResult, out: Output): void {
  for (const note of notes) out.note(note);
  out.document({ schemaVersion: 1, checks: [...checks] });
  for (const { id, outcome, message, fix } of checks) {
    out.line(WORDS[outcome], `  ${id}: ${message}`);
    if (fix !== "") out.line(`           ${fix}`);
  }
}

/** A text to attach to a bug report: nothing in it names a user, a host, a path, or a framework. */
export function showDoctorReport(
  { checks, facts, engine, frameworks }: DoctorResult,
  version: string,
  out: Output,
): void {
  const variables = [...facts.engineVariables, ...facts.proxies];
  const lines = [
    `framework-infra ${version}, Node ${facts.node}`,
    `${facts.platform} ${facts.arch}, kernel ${facts.kernel}, ${String(facts.cores)} cores, ${gibibytes(facts.memory)}`,
    "problem" in engine
      ? `no engine: ${engine.problem}`
      : `Docker Engine ${engine.version}, Compose ${engine.compose ?? "none"}, cgroup ${engine.cgroup}${engine.isRootless ? ", rootless" : ""}, ${gibibytes(engine.memory)}`,
    `set in the environment: ${variables.length === 0 ? "nothing of docker or a proxy" : variables.join(", ")}`,
    `frameworks: ${String(frameworks)}`,
    "",
    ...checks.map(({ id, outcome, message }) => `${outcome.padEnd(7)}  ${id}${REDACTED.has(id) ? "" : `: ${message}`}`),
  ];
  for (const line of lines) out.line(line);
}

/** Checks whose message can name something of the user's: an image of a registry of their own, what docker said. */
const REDACTED = new Set(["engine", "images"]);

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** Exit 1, where something is wrong. What cannot be determined is shown, and is no failure. */
export function doctorError({ checks }: DoctorResult): UserError | undefined {
  const failed = checks.filter(({ outcome }) => outcome === "fail");
  if (failed.length === 0) return undefined;
  return new UserError(`${failed.map(({ id }) => id).join(", ")}: this host is not fit`, {
    code: "unfit",
    exit: EXIT.failure,
    hint: "each finding above names what helps; then run this again",
  });
}
