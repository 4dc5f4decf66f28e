import type { ServiceGiven } from "../flow/asked.ts";
import { addService, type AddRequest } from "../flow/add-service.ts";
import type { ServiceChange } from "../flow/service.ts";
import type { Command } from "./context.ts";
import { isDryRun } from "./context.ts";
import { portFlags } from "./port-flags.ts";
import { presentService, readChoice } from "./service.ts";

export const command: Command<AddRequest, ServiceGiven<AddRequest>, ServiceChange> = {
  read: async (context) => {
    const { place, flags } = context;
    const ports = portFlags(flags.list("port"));
    return readChoice(context, "add", { place, ports, dry: isDryRun(context) });
  },
  run: addService,
  present: presentService,
};
