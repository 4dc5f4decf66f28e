import type { AnyGenerator } from "./generator.ts";

/** Every generator by its name, loaded when it is wanted. */
export const GENERATORS: Readonly<Record<string, () => Promise<{ generator: AnyGenerator }>>> = {
  "new-framework": async () => import("./new-framework.ts"),
  "add-service": async () => import("./add-service.ts"),
  "remove-service": async () => import("./remove-service.ts"),
  regenerate: async () => import("./regenerate.ts"),
  "remove-framework": async () => import("./remove-framework.ts"),
};
