import { renderedValues } from "../../env/update.ts";
import type { Catalogue } from "../../catalogue/catalogue.ts";
import { publishedPortsOf } from "../../host/engine.ts";
import { isListening } from "../../host/listening.ts";
import { EXIT, problemsError, UserError, usageError, type Problem } from "../../lib/errors.ts";
import { once } from "../../lib/once.ts";
import type { Disk } from "../../plan/disk.ts";
import { basePath } from "../../plan/state.ts";
import type { AllocationInput } from "../../ports/allocate.ts";
import { ClaimTable, describeHolder, type Protocol } from "../../ports/claim.ts";
import { givePorts, withPorts } from "../../ports/give.ts";
import { effectiveName, SPEC_FILE, type Framework } from "../../root/framework.ts";
import { withMovedPorts, type Claims, type Root } from "../../root/root.ts";
import type { Spec } from "../../spec/schema.ts";
import type { Place } from "../place.ts";

/** Who holds which port while a command runs: what the root says, and what the command itself has given. */
export class PortBook {
  readonly #root: Root;
  readonly #place: Place;
  readonly isCheck: boolean;
  readonly #published = new WeakMap<Framework, ReadonlySet<string>>();
  #claims: Promise<Claims> | undefined;

  /** @param isCheck whether this host need not run the stacks: no engine is asked */
  constructor(root: Root, place: Place, { isCheck = false } = {}) {
    this.#root = root;
    this.#place = place;
    this.isCheck = isCheck;
  }

  async claims(): Promise<Claims> {
    return (this.#claims ??= this.#root.claims());
  }

  /** Files whose ports are not known, once somebody asked for claims. */
  async warnings(): Promise<readonly string[]> {
    return (await this.#claims)?.warnings.map((warning) => `warning: ${warning}`) ?? [];
  }

  /** Notes that a framework has other ports from now on. */
  async move(framework: Framework, spec: Spec): Promise<void> {
    const moved = withMovedPorts(await this.claims(), framework, spec, this.#root, this.#place.catalogue);
    this.#claims = Promise.resolve(moved);
  }

  /**
   * What the allocator has to know of this host.
   * @param table the claims that count
   * @param framework the one that is given ports
   */
  host(table: ClaimTable, framework: Framework): Pick<AllocationInput, "claims" | "listening"> {
    return { claims: table, listening: (protocol, port) => this.isHeldByOthers(framework, protocol, port) };
  }

  /** Whether somebody listens on a port who is not a container of this framework, which may still have its old ports. */
  async isHeldByOthers(framework: Framework, protocol: Protocol, port: number): Promise<boolean> {
    if (!(await isListening(protocol, port))) return false;
    if (this.isCheck) return true;
    // Asked once for each framework, and only when a port that it wants is in use.
    const own = once(this.#published, framework, () => publishedPortsOf(effectiveName(framework)) ?? new Set());
    return !own.has(`${protocol}/${String(port)}`);
  }
}

/**
 * Gives a port to every service of a spec that publishes one and has none yet; near those that the framework has.
 * @param typed ports the user gave for them
 * @throws what `givePorts` throws
 */
export async function completePorts(
  framework: Framework,
  spec: Spec,
  typed: ReadonlyMap<string, number>,
  book: PortBook,
  { catalogue }: Place,
): Promise<{ spec: Spec; notes: readonly string[] }> {
  const open = Object.entries(spec.services).filter(
    ([id, { port }]) => port === undefined && catalogue.services.get(id)?.port !== undefined,
  );
  for (const id of typed.keys()) if (!open.some(([each]) => each === id)) throw notAsked(id, catalogue);
  if (open.length === 0) return { spec, notes: [] };
  const wanted = new Set(open.map(([id]) => catalogue.services.get(id)?.port?.variable));
  // What its own compose.yaml still publishes for such a service is no stranger's.
  const others = (await book.claims()).all.filter(
    (claim) => claim.framework !== framework.folder || !wanted.has(claim.variable ?? undefined),
  );
  const { ports, notes } = await givePorts(
    { ...spec, services: Object.fromEntries(open) },
    typed,
    book.host(new ClaimTable(others), framework),
    catalogue,
    // Beside its neighbours; the preset's own slot only where they do not agree.
    offsetOf(spec, catalogue) ?? catalogue.presets.get(spec.preset)?.slot,
  );
  return { spec: withPorts(spec, ports), notes };
}

function notAsked(id: string, catalogue: Catalogue): UserError {
  return usageError(
    catalogue.services.get(id)?.port === undefined
      ? `a port is given for ${id}, which does not publish one`
      : `a port is given for ${id}, which has one: change it in ${SPEC_FILE}, then npm run regenerate`,
    "use --port only for services that are added",
    [],
    "invalid",
  );
}

/** How far the ports of a framework are from their bases, where all agree. */
function offsetOf(spec: Spec, catalogue: Catalogue): number | undefined {
  const offsets = Object.entries(spec.services).flatMap(([id, { port }]) => {
    const base = catalogue.services.get(id)?.port?.base;
    return base === undefined || port === undefined ? [] : [port - base];
  });
  const [first] = offsets;
  return first !== undefined && first >= 0 && offsets.every((offset) => offset === first) ? first : undefined;
}

/**
 * Checks the ports that were changed by hand in framework.yaml; those that stay are sticky, and not checked again.
 * @param disk what is stored of the framework: it says which ports were generated
 * @throws UserError exit 3 when somebody else holds one
 */
export async function checkMovedPorts(
  framework: Framework,
  spec: Spec,
  disk: Disk,
  book: PortBook,
  { catalogue, shown }: Place,
): Promise<void> {
  const file = `${shown}/${framework.folder}/${SPEC_FILE}`;
  const problems: Problem[] = [];
  const taken = new Map<string, string>();
  const before = renderedPorts(disk, catalogue);
  for (const [id, { port }] of Object.entries(spec.services)) {
    const manifest = catalogue.services.get(id);
    if (port === undefined || manifest?.port === undefined) continue;
    const { protocol } = manifest.port;
    const twin = taken.get(`${protocol}/${String(port)}`);
    taken.set(`${protocol}/${String(port)}`, id);
    if (twin === undefined && before.get(id) === port) continue;
    const others = (await book.claims()).all.filter(
      (claim) => claim.framework !== framework.folder || claim.source === "foreign",
    );
    const claim = new ClaimTable(others).holder(protocol, port);
    const holder = twin ?? (claim === undefined ? undefined : describeHolder(claim));
    if (holder === undefined && (book.isCheck || !(await book.isHeldByOthers(framework, protocol, port)))) continue;
    problems.push({
      key: `services.${id}.port`,
      message: `port ${String(port)} is held by ${holder ?? "a program that listens on this host"}`,
    });
  }
  if (problems.length === 0) return;
  const { locate } = await import("../../lib/yaml.ts");
  const located = problemsError("ports are taken", locate(framework.specText, file, problems), PORTS_HINT);
  throw new UserError(located.message, {
    code: "port-clash",
    exit: EXIT.portClash,
    hint: PORTS_HINT,
    details: located.details,
  });
}

const PORTS_HINT = "npm run ports shows who holds which port; remove the line to be given a free one";

/** The ports that were last generated, by service id, where they are known. */
function renderedPorts(disk: Disk, catalogue: Catalogue): Map<string, number> {
  const values = renderedValues([disk.get(basePath(".env.template"))?.text]);
  return new Map(
    [...catalogue.services.values()].flatMap(({ id, port }) => {
      const [text] = values.get(port?.variable ?? "") ?? [];
      return text === undefined || !/^\d+$/.test(text) ? [] : [[id, Number(text)]];
    }),
  );
}
