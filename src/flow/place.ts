import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Interrupt } from "../lib/interrupt.ts";
import type { Provenance } from "../plan/state.ts";

/** Where a use case works: the root, what directories are made from, and what it must heed while it waits. */
export interface Place {
  /** Absolute path of the root. */
  root: string;
  /** The root as the user named it. */
  shown: string;
  catalogue: Catalogue;
  /** What makes directories here: this program's version and the catalogue's templates. */
  provenance: () => Provenance;
  /** Whether templates that are older than those that made a directory may change it (`--allow-downgrade`). */
  mayDowngrade: boolean;
  interrupt: Interrupt;
  /** Called with what is to be said although there is no result to say it with. */
  onNote: (text: string) => void;
  /** Called once when another command holds the root's lock. */
  onWait: () => void;
}
