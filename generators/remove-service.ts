import type { ServiceGiven } from "../src/flow/asked.ts";
import { removeService, type RemoveServiceRequest } from "../src/flow/remove-service.ts";
import type { ServiceChange } from "../src/flow/service.ts";
import { findFramework } from "../src/root/find.ts";
import { dependants } from "../src/spec/services.ts";
import type { Generator } from "./generator.ts";
import { askFramework, askService } from "./service-questions.ts";

/** `remove-service`: offers what nothing else needs. */
export const generator: Generator<ServiceGiven<RemoveServiceRequest>, RemoveServiceRequest, ServiceChange> = {
  ask: async (ask, { request, root }) => {
    const { catalogue } = request.place;
    const framework = request.framework ?? (await askFramework(ask, root, "Remove it from which framework?"));
    if (request.service !== undefined) return { ...request, framework, service: request.service };
    const { spec } = findFramework(root, framework);
    const choices = Object.keys(spec.services)
      .filter((id) => dependants(spec, id, catalogue).length === 0)
      .map((id) => ({ id, text: catalogue.services.get(id)?.title ?? id }));
    const none = `${framework} has no service that could be removed`;
    return { ...request, framework, service: await askService(ask, choices, none) };
  },
  run: removeService,
};
