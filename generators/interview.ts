import { externalServices, reservedNames, withDependencies } from "../src/catalogue/catalogue.ts";
import type { Manifest } from "../src/catalogue/manifest.ts";
import { nameProblem } from "../src/catalogue/names.ts";
import type { CreateGiven } from "../src/flow/asked.ts";
import type { CreateRequest } from "../src/flow/create.ts";
import { survey, type Survey } from "../src/flow/survey.ts";
import { EXIT, UserError } from "../src/lib/errors.ts";
import { formatMebibytes, totalMemory } from "../src/render/memory.ts";
import type { Output } from "../src/report/output.ts";
import { siblingHosts } from "../src/root/siblings.ts";
import { refuseTaken } from "../src/root/taken.ts";
import { normalise } from "../src/spec/normalise.ts";
import {
  descriptionProblem,
  hostUrlProblem,
  imagesSchema,
  profileSchema,
  type Draft,
  type External,
} from "../src/spec/schema.ts";
import { askPorts } from "./port-questions.ts";
import { showPreview } from "./preview.ts";
import { choice, type Ask } from "./question.ts";

type Step = "preset" | "name" | "description" | "services" | "external" | "ports" | "images" | "profile";

const LABELS: Record<Step, string> = {
  preset: "Preset",
  name: "Name",
  description: "Description",
  services: "Services",
  external: "Where services run",
  ports: "Ports",
  images: "Images",
  profile: "Profile",
};

/**
 * The questions of `new-framework`, in order; each answer is checked where it is typed. At the end
 * the result is shown, and any answer can be changed before it is written.
 */
export class Interview {
  readonly #given: CreateGiven;
  readonly #place: CreateGiven["place"];
  readonly #out: Output;
  readonly #ask: Ask;
  readonly #draft: Draft;
  #ports: Map<string, number>;

  /** @param given what flags and answers file already said: that is not asked again */
  constructor(given: CreateGiven, out: Output, ask: Ask) {
    this.#given = given;
    this.#place = given.place;
    this.#out = out;
    this.#ask = ask;
    this.#draft = { ...given.draft };
    this.#ports = new Map(given.ports);
  }

  /** @returns the request, or undefined when the person does not want it */
  async run(): Promise<CreateRequest | undefined> {
    this.#requireUsable(await this.#survey());
    for (const step of this.#open()) await this.#step(step, await this.#survey());
    return this.#confirm();
  }

  /**
   * Somebody took a port between the preview and the write: only that one is asked for again.
   * @param error why it was refused
   * @throws the error, when it is about something else
   */
  async again(error: UserError): Promise<CreateRequest | undefined> {
    const taken = error.details.flatMap(({ key }) => /^services\.(.+)\.port$/.exec(key ?? "")?.[1] ?? []);
    if (error.exit !== EXIT.portClash || taken.length === 0) throw error;
    await this.#askPorts(await this.#survey(), new Set(taken));
    return this.#confirm();
  }

  async #confirm(): Promise<CreateRequest | undefined> {
    for (;;) {
      const request = { ...this.#given, draft: this.#draft, ports: this.#ports };
      const { memory } = await this.#survey();
      const fits = await showPreview(request, memory, this.#out);
      const next = String(
        await this.#ask({
          type: "list",
          message: fits ? `Write ${this.#place.shown}/${this.#draft.name ?? ""}?` : "What next?",
          choices: [
            ...(fits ? [choice("Yes, write it", "write")] : []),
            choice("Change an answer", "change"),
            choice("No, write nothing", "cancel"),
          ],
        }),
      );
      if (next === "write") return request;
      if (next === "cancel") return undefined;
      await this.#step(await this.#whichStep(), await this.#survey());
    }
  }

  /** Read again for each step: somebody else may have taken a port or a name meanwhile. */
  async #survey(): Promise<Survey> {
    return survey(this.#place);
  }

  /** What flags and answers file said is refused before the first question, not after the last. */
  #requireUsable(found: Survey): void {
    const { name, services } = this.#draft;
    // Any free name does to check the rest; ports can only be judged once the services are known.
    const ports = services === undefined ? new Map<string, number>() : this.#ports;
    normalise({ draft: { ...this.#draft, name: name ?? "unnamed" }, ports }, this.#place.catalogue);
    if (name !== undefined) this.#requireFree(name, found);
  }

  /** The steps whose answers nobody gave yet. */
  #open(): Step[] {
    const { name, preset, description, services, external, images, profile } = this.#draft;
    const known = (id: string | undefined): boolean => id !== undefined && this.#place.catalogue.presets.has(id);
    return [
      ...(preset === undefined && !known(name) ? (["preset"] as const) : []),
      ...(name === undefined ? (["name"] as const) : []),
      ...(description === undefined ? (["description"] as const) : []),
      ...(services === undefined ? (["services"] as const) : []),
      ...(external === undefined ? (["external"] as const) : []),
      "ports",
      ...(images === undefined ? (["images"] as const) : []),
      ...(profile === undefined ? (["profile"] as const) : []),
    ];
  }

  #label(step: Step): string {
    if (step !== "external") return LABELS[step];
    return externalServices(this.#place.catalogue)
      .map(({ title }) => title)
      .join(", ");
  }

  async #whichStep(): Promise<Step> {
    const answer = await this.#ask({
      type: "list",
      message: "Which one?",
      choices: (Object.keys(LABELS) as Step[]).map((step) => choice(this.#label(step), step)),
    });
    return answer as Step;
  }

  async #step(step: Step, found: Survey): Promise<void> {
    switch (step) {
      case "preset":
        return this.#preset();
      case "name":
        return this.#name(found);
      case "description":
        return this.#description();
      case "services":
        return this.#services();
      case "external":
        for (const service of this.#externalChoices()) await this.#external(service, found);
        return undefined;
      case "ports":
        return this.#askPorts(found);
      case "images":
        return this.#images();
      case "profile":
        return this.#profile();
    }
  }

  /** @param only the services to ask for; all by default */
  async #askPorts(found: Survey, only?: ReadonlySet<string>): Promise<void> {
    const state = { draft: this.#draft, typed: this.#ports, found, place: this.#place };
    this.#ports = await askPorts(only === undefined ? state : { ...state, only }, this.#ask, (text) => {
      this.#out.note(text);
    });
  }

  async #preset(): Promise<void> {
    const presets = [...this.#place.catalogue.presets.values()].toSorted((a, b) => (a.slot ?? 99) - (b.slot ?? 99));
    const answer = await this.#ask({
      type: "list",
      message: "Which framework is it for?",
      choices: presets.map((preset) => choice(preset.title, preset.id)),
      default: this.#draft.preset,
      pageSize: 12,
    });
    this.#draft.preset = String(answer);
  }

  async #name(found: Survey): Promise<void> {
    const preset = this.#draft.preset === undefined ? undefined : this.#place.catalogue.presets.get(this.#draft.preset);
    const suggestion =
      this.#draft.name ?? (preset === undefined || preset.fallback ? undefined : this.#freeName(preset.id, found));
    const answer = await this.#ask({
      type: "input",
      message: "Name of its directory:",
      default: suggestion,
      validate: (text) => {
        const problem =
          nameProblem(String(text).trim(), reservedNames(this.#place.catalogue)) ??
          problemOf(() => this.#requireFree(String(text).trim(), found));
        return problem ?? true;
      },
    });
    this.#draft.name = String(answer).trim();
  }

  #freeName(id: string, found: Survey): string {
    const taken = (name: string): boolean => problemOf(() => this.#requireFree(name, found)) !== undefined;
    let name = id;
    for (let count = 2; taken(name) && count < 100; count += 1) name = `${id}-${String(count)}`;
    return name;
  }

  #requireFree(name: string, { root }: Survey): void {
    refuseTaken(name, root);
  }

  async #description(): Promise<void> {
    const { presets } = this.#place.catalogue;
    const preset = presets.get(this.#draft.preset ?? this.#draft.name ?? "");
    const answer = await this.#ask({
      type: "input",
      message: "Description, one line:",
      default: this.#draft.description ?? preset?.summary,
      validate: (text) => descriptionProblem(String(text)) ?? true,
    });
    this.#draft.description = String(answer);
  }

  async #services(): Promise<void> {
    const { catalogue } = this.#place;
    const outside = this.#givenExternal();
    const offered = [...catalogue.services.values()].filter(({ offer, id }) => offer === "choice" && !outside.has(id));
    const chosen =
      this.#draft.services === undefined
        ? undefined
        : new Set(Array.isArray(this.#draft.services) ? this.#draft.services : Object.keys(this.#draft.services));
    const answer = await this.#ask({
      type: "checkbox",
      message: "Services:",
      choices: offered.map((service) => {
        const brings = withDependencies(catalogue, [service.id])
          .filter((id) => id !== service.id)
          .map((id) => catalogue.services.get(id)?.title ?? id);
        return {
          ...choice(`${service.title}${brings.length === 0 ? "" : ` (brings ${brings.join(", ")})`}`, service.id),
          checked: chosen === undefined ? service.default : chosen.has(service.id),
        };
      }),
      validate: (ids) => (Array.isArray(ids) && ids.length > 0 ? true : "choose at least one, with the space bar"),
    });
    this.#draft.services = (answer as string[]).map(String);
    // Where a service runs that is not chosen any more is no choice either.
    const kept = new Set([...outside, ...this.#draft.services]);
    const external = Object.entries(this.#draft.external ?? {}).filter(([id]) => kept.has(id));
    if (this.#draft.external !== undefined) this.#draft.external = Object.fromEntries(external);
    // Ports of services that are gone would be refused later.
    const ids = withDependencies(catalogue, this.#draft.services);
    for (const id of this.#ports.keys()) if (!ids.includes(id)) this.#ports.delete(id);
  }

  /** Services that flags or the answers file have put outside of the stack: they are not offered in it. */
  #givenExternal(): Set<string> {
    const given = Object.entries(this.#given.draft.external ?? {});
    return new Set(given.flatMap(([id, { mode }]) => (mode === "external" ? [id] : [])));
  }

  #serviceIds(): string[] {
    const { services } = this.#draft;
    if (services === undefined) return [];
    return Array.isArray(services) ? services : Object.keys(services);
  }

  /** Chosen services that can be used from outside the stack. */
  #externalChoices(): Manifest[] {
    const ids = this.#serviceIds();
    return externalServices(this.#place.catalogue).filter(({ id }) => ids.includes(id));
  }

  async #external({ id, title }: Manifest, { root }: Survey): Promise<void> {
    const answer = await this.#ask({
      type: "list",
      message: `${title}:`,
      choices: [
        choice("run it in this stack", "dedicated"),
        ...siblingHosts(root, id, this.#place.catalogue).map((sibling) =>
          choice(`use the one of ${sibling.name} (${sibling.url})`, sibling.url),
        ),
        choice("use one that runs somewhere else", "url"),
      ],
    });
    const before = this.#draft.external?.[id]?.host;
    const chosen: External =
      answer === "dedicated"
        ? { mode: "dedicated" }
        : { mode: "external", host: answer === "url" ? await this.#url(title, before) : String(answer) };
    this.#draft.external = { ...this.#draft.external, [id]: chosen };
    if (chosen.mode === "external") this.#ports.delete(id);
  }

  async #url(title: string, before: string | undefined): Promise<string> {
    return String(
      await this.#ask({
        type: "input",
        message: `URL of ${title}:`,
        default: before,
        validate: (text) => hostUrlProblem(String(text).trim()) ?? true,
      }),
    ).trim();
  }

  async #images(): Promise<void> {
    const answer = await this.#ask({
      type: "list",
      message: "Image versions:",
      choices: [
        choice("pinned: chosen to work together", "pinned"),
        choice("latest: the tags that upstream calls latest; some hardening is relaxed", "latest"),
        choice("digest: pinned, and tied to the digests that you record from this host's engine", "digest"),
      ],
      default: this.#draft.images,
    });
    this.#draft.images = imagesSchema.parse(answer);
  }

  async #profile(): Promise<void> {
    const { catalogue } = this.#place;
    const { spec } = normalise({ draft: this.#draft, ports: new Map() }, catalogue);
    const { memory } = await this.#survey();
    const machine = formatMebibytes(Math.floor(memory / 1024 / 1024));
    const answer = await this.#ask({
      type: "list",
      message: `Resource limits (this machine has ${machine}):`,
      choices: profileSchema.options.map((profile) =>
        choice(`${profile}: up to ${formatMebibytes(totalMemory(spec, catalogue, profile))} of memory`, profile),
      ),
      default: this.#draft.profile,
    });
    this.#draft.profile = profileSchema.parse(answer);
  }
}

function problemOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
