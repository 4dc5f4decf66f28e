import type { Root } from "../root/root.ts";
import type { CreateRequest } from "./create.ts";
import type { FoundConflict } from "./conflicts.ts";
import type { RegenerateRequest } from "./regenerate.ts";
import type { RemoveFrameworkRequest } from "./remove-framework.ts";
import type { ServiceChoice } from "./service.ts";

/** What is known of a request to add or to remove a service; the generator of that name asks for the rest. */
export interface ServiceGiven<Request extends ServiceChoice> {
  request: Omit<Request, "service"> & { service: string | undefined };
  /** The root as it is now, for the choices. */
  root: Root;
}

/** What is known of a new framework. */
export type CreateGiven = CreateRequest;

/** The conflicts that a regenerate would leave open. */
export interface RegenerateGiven {
  request: RegenerateRequest;
  conflicts: readonly FoundConflict[];
}

/** What is known of a framework to remove; that it is really wanted is asked in any case. */
export interface RemoveFrameworkGiven {
  request: Omit<RemoveFrameworkRequest, "framework"> & { framework: string | undefined };
  root: Root;
}
