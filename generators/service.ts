import { addService } from "../src/commands/add-service.ts";
import { findFramework } from "../src/commands/choose.ts";
import type { Context } from "../src/commands/context.ts";
import { removeService } from "../src/commands/remove-service.ts";
import type { PartialChoice, ServiceChoice } from "../src/commands/service-choice.ts";
import { usageError } from "../src/errors.ts";
import type { Place } from "../src/pipeline.ts";
import { EXTERNAL_CAPABLE } from "../src/spec/normalise.ts";
import { dependants } from "../src/spec/services.ts";
import { askFramework } from "./framework-question.ts";
import type { Generator } from "./generator.ts";
import { choice, type Ask } from "./question.ts";

interface Input {
  context: Context;
  place: Place;
  /** What the arguments already said. */
  given: PartialChoice;
}

/** `add-service`: asks for the framework where there are several, and for the service. */
export function addServiceGenerator({ context, place, given }: Input): Generator<ServiceChoice> {
  return {
    name: "add-service",
    ask: async (ask) => {
      const framework = given.framework ?? (await askFramework(ask, given.root, "Add it to which framework?"));
      if (given.service !== undefined) return { framework, service: given.service };
      const { spec } = findFramework(given.root, framework, place.shown);
      const open = [...place.catalogue.services.values()].filter(
        ({ id }) =>
          spec.services[id]?.requested !== true && !(id === EXTERNAL_CAPABLE && spec.langfuse.mode === "external"),
      );
      const choices = open.map(({ id, title, summary }) => ({ id, text: `${title}: ${summary}` }));
      return {
        framework,
        service: await askService(ask, "Which service?", choices, `${framework} has every service of the catalogue`),
      };
    },
    act: (answer) => addService(context, place, answer),
  };
}

/** `remove-service`: offers what nothing else needs. */
export function removeServiceGenerator({ context, place, given }: Input): Generator<ServiceChoice> {
  return {
    name: "remove-service",
    ask: async (ask) => {
      const framework = given.framework ?? (await askFramework(ask, given.root, "Remove it from which framework?"));
      if (given.service !== undefined) return { framework, service: given.service };
      const { spec } = findFramework(given.root, framework, place.shown);
      const free = Object.keys(spec.services).filter((id) => dependants(spec, id, place.catalogue).length === 0);
      const choices = free.map((id) => ({ id, text: place.catalogue.services.get(id)?.title ?? id }));
      return {
        framework,
        service: await askService(ask, "Which service?", choices, `${framework} has no service that could go`),
      };
    },
    act: (answer) => removeService(context, place, answer),
  };
}

async function askService(
  ask: Ask,
  message: string,
  choices: readonly { id: string; text: string }[],
  none: string,
): Promise<string> {
  if (choices.length === 0) throw usageError(none);
  return String(await ask({ type: "list", message, choices: choices.map(({ id, text }) => choice(text, id)) }));
}
