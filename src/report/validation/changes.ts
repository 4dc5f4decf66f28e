import type { Change, Round } from "../../flow/watch.ts";
import type { ChangesDocument } from "../documents.ts";
import { styled, type Output, type Styled } from "../output.ts";
import { summaryLine } from "./words.ts";

const STYLES: Record<Change["to"], Styled["style"]> = { pass: "green", fail: "red", unknown: "yellow", waived: "dim" };

/** One line for each change; after the first round, the summary as well. */
export function showRound({ at, isFirst, result, changes }: Round, out: Output): void {
  out.progress("");
  if (isFirst) for (const note of result.notes) out.note(note);
  const time = at.replace(/\.\d+Z$/, "Z");
  for (const { framework, service, check, from, to, message, fix } of changes) {
    const name = [framework, service, check].filter((part) => part !== "").join(" ");
    const was = from === undefined ? "" : ` (was ${from})`;
    out.line(`${time}  `, styled(to, STYLES[to]), `${was}  ${name}: ${message}`);
    if (fix !== "") out.line(`    ${fix}`);
  }
  if (isFirst) out.line(`${time}  ${summaryLine(result)}; from here on, changes are shown`);
}

/** What a webhook or a command is told. */
export function changesDocumentOf({ at, changes }: Round): ChangesDocument {
  return {
    schemaVersion: 1,
    at,
    changes: changes.map(({ framework, service, check, from, to, message, fix }) => ({
      framework,
      service,
      check,
      from: from ?? null,
      to,
      message,
      fix,
    })),
  };
}
