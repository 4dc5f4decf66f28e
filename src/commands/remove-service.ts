import type { ServiceGiven } from "../flow/asked.ts";
import { removeService, type RemoveServiceRequest } from "../flow/remove-service.ts";
import type { ServiceChange } from "../flow/service.ts";
import type { Command } from "./context.ts";
import { isDryRun } from "./context.ts";
import { presentService, readChoice } from "./service.ts";

export const command: Command<RemoveServiceRequest, ServiceGiven<RemoveServiceRequest>, ServiceChange> = {
  read: async (context) => readChoice(context, "remove", { place: context.place, dry: isDryRun(context) }),
  run: removeService,
  present: presentService,
};
