import type { Catalogue } from "../catalogue/catalogue.ts";
import { CONTAINER_PROBES } from "./containers.ts";

/** What is known of a probe without asking it. */
export interface ProbeInfo {
  /** `SERVICE.QUESTION` of a service's own; one word for those that every stack or every service has. */
  id: string;
  /** Whether every service has it. */
  isOfEach: boolean;
  /** What a pass means. */
  meaning: string;
  /** What helps against a failure, by its reason; the message of a failure says which it is. */
  help: readonly string[];
  /** Whether it writes something for a moment. */
  writes: boolean;
}

/** Every probe that there is, in the order in which they are asked. */
export function probeInfos({ services }: Pick<Catalogue, "services">): ProbeInfo[] {
  const general = (id: string, meaning: string, isOfEach: boolean): ProbeInfo => ({
    id,
    isOfEach,
    meaning,
    help: [],
    writes: false,
  });
  return [
    general("engine", "the container engine answers", false),
    general("clock", "the engine's clock and this host's differ by five seconds at most", false),
    ...Object.entries(CONTAINER_PROBES).map(([id, meaning]) => general(id, meaning, true)),
    ...[...services.values()].flatMap(({ id: service, probes }) =>
      probes.map(({ id, title, hint, hints, writes }) => ({
        id: `${service}.${id}`,
        isOfEach: false,
        meaning: title,
        help: [hint, ...Object.values(hints)],
        writes,
      })),
    ),
  ];
}
