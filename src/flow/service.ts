import type { Catalogue } from "../catalogue/catalogue.ts";
import { usageError } from "../lib/errors.ts";
import { nearest } from "../lib/nearest.ts";
import type { Root } from "../root/root.ts";
import type { Spec } from "../spec/schema.ts";
import type { PlannedChange } from "./road/plan-change.ts";

/** Which service, and of which framework. */
export interface ServiceChoice {
  service: string;
  /** Undefined: the only one. */
  framework: string | undefined;
}

/** What adding or removing a service comes to. */
export interface ServiceChange {
  folder: string;
  /** Undefined when there is nothing to do. */
  change: PlannedChange | undefined;
  /** Why there is nothing to do, as `has qdrant already`. */
  reason: string;
  /** Services that came, with their ports. */
  added: Spec["services"];
  /** Volumes of the services that go; they stay, with their data. */
  volumes: readonly string[];
  /** Whether containers may still run that no file names any more. */
  orphans: boolean;
  written: boolean;
  notes: readonly string[];
}

export const NOTHING_TO_DO: Omit<ServiceChange, "folder"> = {
  change: undefined,
  reason: "",
  added: {},
  volumes: [],
  orphans: false,
  written: false,
  notes: [],
};

/** @throws UserError exit 2 when the catalogue has no service of that name */
export function requireKnown(service: string, catalogue: Catalogue): void {
  if (catalogue.services.has(service)) return;
  const ids = [...catalogue.services.keys()];
  const near = nearest(service, ids);
  throw usageError(
    `"${service.slice(0, 60)}" is not a service`,
    `${near === undefined ? "" : `did you mean ${near}? `}there are: ${ids.join(", ")}`,
    [],
    "unknown-service",
  );
}

/** What is wrong with the root, as notes. */
export function warningsOf({ warnings }: Root): string[] {
  return warnings.map((warning) => `warning: ${warning}`);
}
