import { addService, type AddRequest } from "../src/flow/add-service.ts";
import type { ServiceGiven } from "../src/flow/asked.ts";
import type { ServiceChange } from "../src/flow/service.ts";
import { findFramework } from "../src/root/find.ts";
import { isExternal } from "../src/spec/schema.ts";
import type { Generator } from "./generator.ts";
import { askFramework, askService } from "./service-questions.ts";

/** `add-service`: asks for the framework where there are several, and for the service. */
export const generator: Generator<ServiceGiven<AddRequest>, AddRequest, ServiceChange> = {
  ask: async (ask, { request, root }) => {
    const framework = request.framework ?? (await askFramework(ask, root, "Add it to which framework?"));
    if (request.service !== undefined) return { ...request, framework, service: request.service };
    const { spec } = findFramework(root, framework);
    const choices = [...request.place.catalogue.services.values()]
      .filter(({ id }) => spec.services[id]?.requested !== true && !isExternal(spec, id))
      .map(({ id, title, summary }) => ({ id, text: `${title}: ${summary}` }));
    const none = `${framework} has every service of the catalogue`;
    return { ...request, framework, service: await askService(ask, choices, none) };
  },
  run: addService,
};
