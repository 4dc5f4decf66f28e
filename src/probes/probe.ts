import type { ProbeSpec } from "../catalogue/probe.ts";

/** What a probe found. `unknown` is no success: it could not be determined. */
export interface Verdict {
  outcome: "pass" | "fail" | "unknown";
  /** What was found, without the name of the service. */
  message: string;
  /** What to do; empty for a pass. */
  hint: string;
  /** How much is in use of what there is, from 0 to 1; only where that is the question. */
  share?: number;
}

/** One question to a running stack. */
export interface Probe {
  /** `SERVICE.QUESTION` for a declared one, the question alone for one that every container is asked. */
  id: string;
  /** The service of the Compose file that it is about. */
  service: string;
  /** When it is given up, in milliseconds. */
  limitMs: number;
  run: () => Promise<Verdict> | Verdict;
}

/** A probe and what came of it. */
export interface Probed extends Verdict {
  id: string;
  service: string;
  /** How long it took, in milliseconds. */
  ms: number;
}

/** All is well. @param message what was found */
export function passed(message: string): Verdict {
  return { outcome: "pass", message, hint: "" };
}

/** Something is wrong. @param hint what to do */
export function failed(message: string, hint: string): Verdict {
  return { outcome: "fail", message, hint };
}

/** It could not be determined. @param hint how it could */
export function unknown(message: string, hint: string): Verdict {
  return { outcome: "unknown", message, hint };
}

export const UP = "docker compose up -d --wait";

/** Of a service none of whose containers runs. @param status of one that there is */
export function notAsked(service: string, status: string | undefined): Verdict {
  return status === "paused"
    ? unknown(`was not asked, as ${service} is paused`, `docker compose unpause ${service}`)
    : unknown(`was not asked, as ${service} is not running`, `start what is not running: ${UP}`);
}

/**
 * What helps against a failure of a declared probe: what its manifest says of this reason; else what usually helps
 * against it, what the manifest says of the step that failed, and at last what it says of the probe.
 * @param code as of `hints`
 * @param ofStep the hint of the request or the statement that failed
 */
export function hintFor({ hint, hints }: Pick<ProbeSpec, "hint" | "hints">, code: string, ofStep?: string): string {
  const usual = Object.hasOwn(USUAL, code) ? USUAL[code] : undefined;
  return hints[code] ?? usual ?? ofStep ?? hint;
}

const NOBODY = "nothing answers there; see the probes `state` and `ports` of its container";
const USUAL: Record<string, string> = {
  ECONNREFUSED: NOBODY,
  ECONNRESET: NOBODY,
  EHOSTUNREACH: NOBODY,
  ETIMEDOUT: "it hangs, or is busy; see docker compose logs, or give it more time with --timeout",
  ENOTFOUND: "no host has that name; see the address in .env",
  "invalid URL": "the address in .env is not one of http:// or https://",
  "28P01":
    "the password in .env is not that of the role, or there is no such role; README.md says how each secret is changed",
  "28000": "the role may not sign in, or pg_hba.conf refuses it",
  "3D000": "the database does not exist; DISASTER_RECOVERY.md says how it is restored",
  "57P03": "the server is still starting; run this again with --wait 60",
};
