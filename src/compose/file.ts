/** The compose file that is generated. */
export const COMPOSE = "compose.yaml";

const COMPOSE_FILE = /^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/;

/** Whether a file of this name is a Compose file: one that Compose reads by itself, or that people pass with `-f`. */
export function isComposeFile(name: string): boolean {
  return COMPOSE_FILE.test(name);
}
