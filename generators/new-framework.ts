import type { CreateGiven } from "../src/flow/asked.ts";
import { create, type CreateRequest, type CreateResult } from "../src/flow/create.ts";
import type { Generator } from "./generator.ts";
import { Interview } from "./interview.ts";

/** `new-framework`: the interview. */
export const generator: Generator<CreateGiven, CreateRequest, CreateResult> = {
  ask: async (ask, given, out) => new Interview(given, out, ask).run(),
  again: async (ask, request, error, out) => new Interview(request, out, ask).again(error),
  run: create,
};
