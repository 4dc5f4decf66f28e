import { UserError } from "../src/lib/errors.ts";
import type { Place } from "../src/flow/place.ts";
import type { Survey } from "../src/flow/survey.ts";
import { isListening } from "../src/host/listening.ts";
import type { AllocationInput } from "../src/ports/allocate.ts";
import { givePorts } from "../src/ports/give.ts";
import { parsePort } from "../src/ports/number.ts";
import { reservedReason } from "../src/ports/reserved.ts";
import { normalise } from "../src/spec/normalise.ts";
import type { Draft, Spec } from "../src/spec/schema.ts";
import type { Ask } from "./question.ts";

export interface PortState {
  /** Answers so far; name and services are known. */
  draft: Draft;
  /** Ports that were typed before, by service id. */
  typed: ReadonlyMap<string, number>;
  found: Survey;
  place: Place;
  /** The services to ask for, where the ports of the others are settled; all by default. */
  only?: ReadonlySet<string>;
}

/**
 * Asks for every published port, with the allocator's proposal as the default.
 * @param note says what is worth knowing but no mistake
 * @returns the ports that count as typed
 */
export async function askPorts(state: PortState, ask: Ask, note: (text: string) => void): Promise<Map<string, number>> {
  const { catalogue } = state.place;
  const { spec } = normalise({ draft: state.draft, ports: new Map() }, catalogue);
  const host = { claims: state.found.claims.table, listening: isListening };
  const ids = Object.keys(spec.services).filter((id) => catalogue.services.get(id)?.port !== undefined);
  const typed = new Map<string, number>();
  for (const [id, port] of state.typed) {
    if (!ids.includes(id)) continue;
    // Typed as a flag or before, and held by somebody now: said, and asked again.
    const problem = await portProblem(id, String(port), typed, spec, state, host);
    if (problem === undefined) typed.set(id, port);
    else note(problem);
  }
  const proposal = await givePorts(spec, typed, host, catalogue);
  for (const text of proposal.notes) note(text);

  const answers = new Map<string, number>();
  for (const id of ids) {
    const settled = state.only?.has(id) === false ? typed.get(id) : undefined;
    if (settled !== undefined) {
      answers.set(id, settled);
      continue;
    }
    const answer = await ask({
      type: "input",
      message: `Host port of ${catalogue.services.get(id)?.title ?? id}:`,
      default: String(proposal.ports.get(id)),
      validate: async (text) => (await portProblem(id, String(text).trim(), answers, spec, state, host)) ?? true,
    });
    const port = Number(String(answer).trim());
    answers.set(id, port);
    const reason = reservedReason(port);
    if (reason !== undefined && !typed.has(id)) note(`warning: ${String(port)}: ${reason}`);
  }
  // Only what differs from the proposal counts as typed: a proposal may still move on when somebody
  // takes it meanwhile. With one typed port all are kept, or the others could shift after they were shown.
  const asProposed = typed.size === 0 && [...answers].every(([id, port]) => proposal.ports.get(id) === port);
  return asProposed ? new Map() : answers;
}

async function portProblem(
  id: string,
  text: string,
  answers: ReadonlyMap<string, number>,
  spec: Spec,
  { place }: PortState,
  host: Pick<AllocationInput, "claims" | "listening">,
): Promise<string | undefined> {
  const port = parsePort(text);
  if (port === undefined) return "a whole number from 1 to 65535";
  const asked = Object.entries(spec.services).filter(([other]) => other === id || answers.has(other));
  const only: Spec = { ...spec, services: Object.fromEntries(asked) };
  try {
    await givePorts(only, new Map([...answers, [id, port]]), host, place.catalogue);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The hint is written for the command line.
    const hint = error.hint?.replaceAll(/--port [a-z0-9-]+=/g, "");
    return [error.message, hint].filter((part) => part !== undefined).join("; ");
  }
}
