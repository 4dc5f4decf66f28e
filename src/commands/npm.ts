/** Whether npm may have kept `--yes`: it has a setting of that name, which may also stand in a user's npmrc. */
export function maySwallowYes(env: NodeJS.ProcessEnv): boolean {
  return env["npm_lifecycle_event"] !== undefined && env["npm_config_yes"] === "true";
}
