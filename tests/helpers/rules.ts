import { stringify } from "yaml";

import { stackOf, type ComposeText } from "../../src/compose/stack.ts";
import type { Variable } from "../../src/env/variables.ts";
import { dotenvValues } from "../../src/env/dotenv.ts";
import { judge, type Subject } from "../../src/rules/judge.ts";
import type { Finding } from "../../src/rules/rule.ts";
import { specOf } from "./catalogue.ts";

/** A service that keeps every rule. */
const HARDENED = {
  image: "x:1",
  user: "1000:1000",
  read_only: true,
  cap_drop: ["ALL"],
  security_opt: ["no-new-privileges:true"],
  restart: "unless-stopped",
  deploy: { resources: { limits: { memory: "1g", cpus: "1.0", pids: 64 } } },
  logging: { driver: "local", options: { "max-size": "10m", "max-file": "3" } },
  healthcheck: { test: ["CMD", "true"], interval: "5s" },
  networks: ["inside", "outside"],
  ports: ["127.0.0.1:8080:80", { target: 81, published: "8081", host_ip: "::1" }],
  volumes: ["data:/data", "./config/a.xml:/etc/a.xml:ro"],
  environment: { PASSWORD: "${PASSWORD}", PASSWORD_FILE: "/run/secrets/p", LEVEL: "info" },
};

const TOP = { networks: { inside: { internal: true }, outside: {} }, volumes: { data: {} } };

/** A compose file with one service `a`, like the hardened one but for these keys; `null`: the key is not there. */
export function composeWith(changes: Record<string, unknown>, top: Record<string, unknown> = {}): string {
  const service = Object.fromEntries(Object.entries({ ...HARDENED, ...changes }).filter(([, value]) => value !== null));
  return stringify({ services: { a: service }, ...TOP, ...top });
}

/** Variables as a catalogue's manifests would give them. */
const VARIABLES: readonly Partial<Variable>[] = [
  { name: "PASSWORD", class: "secret", secret: true },
  { name: "OTHER_PASSWORD", class: "secret", secret: true },
  { name: "NAME", class: "managed", value: "x" },
  { name: "PORT", class: "managed", value: "8080", form: "[0-9]+" },
  { name: "OPENAI_API_KEY", class: "user" },
];

/** An `.env` that keeps every rule. */
export const GOOD_ENV = [
  "PASSWORD=5f0c1e77a94b2d8836e1c4a09b7f2d5e",
  "OTHER_PASSWORD=a94b2d8836e1c4a09b7f2d5e5f0c1e77",
  "NAME=x",
  "PORT=8080",
  "OPENAI_API_KEY=",
  "",
].join("\n");

/** A directory that keeps every rule, but for what is given. */
export async function subjectWith(
  changes: Partial<Omit<Subject, "stack" | "values">> & { files?: readonly ComposeText[]; envText?: string } = {},
): Promise<Subject> {
  const {
    files = [{ file: "frameworks/x/compose.yaml", text: composeWith({}) }],
    envText = GOOD_ENV,
    ...rest
  } = changes;
  const env = dotenvValues(envText);
  const variables = VARIABLES.map((each): Variable => ({
    name: "",
    class: "user",
    description: "",
    rotate: undefined,
    permanent: false,
    prefix: "",
    value: "",
    sameAs: undefined,
    line: "",
    secret: false,
    form: undefined,
    ...each,
  }));
  return {
    shown: "frameworks/x",
    spec: await specOf({ name: "x" }),
    specText: "name: x\n",
    exceptions: [],
    stack: stackOf(files, (name) => env.get(name), "/srv/frameworks/x"),
    env: { mode: 0o600, isTracked: false, problems: [] },
    values: { variables, values: env, names: new Set(["x", "some-database-of-ours"]), text: envText },
    envFiles: [],
    conflicts: [],
    clashes: [],
    twins: [],
    ...rest,
  };
}

/** What is found in a compose file with one service like the hardened one but for these keys. */
export async function findingsWith(
  changes: Record<string, unknown>,
  top: Record<string, unknown> = {},
): Promise<readonly Finding[]> {
  const files = [{ file: "frameworks/x/compose.yaml", text: composeWith(changes, top) }];
  return judge(await subjectWith({ files }), "2026-11-27").findings;
}
