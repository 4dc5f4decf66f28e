import type { Catalogue } from "../catalogue/catalogue.ts";
import type { Command } from "../commands/context.ts";
import { COMMON_FLAGS, externalFlags, WRITING_FLAGS, type FlagTable } from "./flags.ts";

// What a command takes and gives is its own business; the caller only hands it on.
type AnyCommand = Command<unknown, unknown, unknown>;

/** A row of the command table. */
export interface Row {
  /** One line of the overview, and the description of the Plop generator of that name. */
  summary: string;
  /** Arguments in the usage text. */
  args: string;
  /** What the command does, below its usage lines. */
  about: string;
  /** Flags of its own, before those that others have as well. */
  flags: (catalogue: Catalogue) => FlagTable;
  examples: readonly string[];
  load: () => Promise<{ command: AnyCommand }>;
}

const PORT = {
  port: { type: "string", multiple: true, value: "SERVICE=PORT", text: "host port of a service; can be repeated" },
} as const satisfies FlagTable;

const checkFlag = (text: string): FlagTable => ({ check: { type: "boolean", text } });
const REQUIRE_ENV = {
  "require-env": { type: "boolean", text: "with --check: a missing .env is drift too (a clone without one passes)" },
} as const satisfies FlagTable;

const writing = (own: FlagTable, changed: FlagTable = {}): FlagTable => ({
  ...own,
  ...WRITING_FLAGS,
  ...COMMON_FLAGS,
  ...changed,
});
/** Of commands that change a directory that is there. */
const DOWNGRADE = {
  "allow-downgrade": {
    type: "boolean",
    text: "change a directory that a newer version or templates of your own made",
  },
} as const satisfies FlagTable;

const reading = (own: FlagTable): FlagTable => ({ ...own, ...COMMON_FLAGS });

export const COMMANDS = {
  "new-framework": {
    summary: "make the infrastructure directory of a framework",
    args: "[NAME]",
    about: `Makes the infrastructure directory of one AI-agent framework. Asks what it needs to know;
with --yes or --answers it asks nothing.`,
    flags: (catalogue) =>
      writing(
        {
          name: { type: "string", value: "NAME", text: "the framework's name (or the first argument)" },
          preset: {
            type: "string",
            value: "ID",
            text: "a preset of the catalogue (default: the one of that name, if there is one)",
          },
          description: { type: "string", value: "TEXT", text: "one line for its README" },
          services: { type: "string", value: "A,B", text: "services to run; what they need comes with them" },
          ...PORT,
          images: { type: "string", value: "pinned|latest|digest", text: "image versions (default pinned)" },
          profile: {
            type: "string",
            value: "small|medium|large",
            text: "memory, CPU and process limits (default small)",
          },
          ...externalFlags(catalogue),
          answers: {
            type: "string",
            value: "FILE|-",
            text: "take the answers from a YAML or JSON file (a framework.yaml or part of one)",
          },
        },
        { yes: { ...WRITING_FLAGS.yes, text: "take every default" } },
      ),
    examples: [
      "npm run new-framework",
      "npm run new-framework -- crewai --yes",
      "npm run new-framework -- my-agents --services qdrant,postgres --port qdrant=6400 --yes",
      "npm run new-framework -- --answers answers.yaml --dry-run",
    ],
    load: async () => import("../commands/new-framework.ts"),
  },
  "add-service": {
    summary: "add a service to a framework; your edits stay",
    args: "[SERVICE] [FRAMEWORK]",
    about: `Adds a service to a framework, and what it needs: compose.yaml, .env, configuration, documents. Your edits
stay, and so do the other services, even if the templates have changed. If there is only one framework, you need not
name it.`,
    flags: () => writing({ ...PORT, ...DOWNGRADE }),
    examples: [
      "npm run add-service qdrant",
      "npm run add-service postgres crewai",
      "npm run add-service -- qdrant crewai --port qdrant=6400",
      "npm run add-service -- postgres crewai --diff",
    ],
    load: async () => import("../commands/add-service.ts"),
  },
  "remove-service": {
    summary: "remove a service; volumes are never deleted",
    args: "[SERVICE] [FRAMEWORK]",
    about: `Removes a service from a framework, and what came for it alone. Refuses while another service needs it.
Volumes are never deleted: the command says which ones remain. The secrets stay in .env, so that adding the service
again opens the old data.`,
    flags: () => writing(DOWNGRADE),
    examples: [
      "npm run remove-service qdrant",
      "npm run remove-service postgres crewai",
      "npm run remove-service -- postgres crewai --dry-run",
    ],
    load: async () => import("../commands/remove-service.ts"),
  },
  regenerate: {
    summary: "update directories to what specs and templates say now; merges",
    args: "[FRAMEWORK...]",
    about: `Updates directories to what framework.yaml and the templates say now, and keeps what you edited: a three-way
merge of what was last generated, your files, and what is generated now. Updates all frameworks unless you name some.

If both you and the update changed the same place, your file stays as it is, and the new one is written next to it as
FILE.incoming. Edit FILE, delete FILE.incoming, regenerate; or choose with --ours or --theirs.`,
    flags: () =>
      writing({
        ours: {
          type: "string",
          multiple: true,
          isOptional: true,
          value: "FILE",
          text: "keep your file as it is: every file in conflict, or this one",
        },
        theirs: {
          type: "string",
          multiple: true,
          isOptional: true,
          value: "FILE",
          text: "take the whole new file; your edits in it are lost",
        },
        digests: {
          type: "boolean",
          text: "record the digests of the images that this host's engine has (images: digest)",
        },
        ...checkFlag("write nothing; exit 5 if something would change, 4 if a conflict is or would be open"),
        ...REQUIRE_ENV,
        ...DOWNGRADE,
      }),
    examples: [
      "npm run regenerate",
      "npm run regenerate -- crewai --diff",
      "npm run regenerate -- --check",
      "npm run regenerate -- crewai --theirs=README.md",
      "npm run regenerate -- crewai --digests",
    ],
    load: async () => import("../commands/regenerate.ts"),
  },
  "remove-framework": {
    summary: "delete what was generated for a framework; never a volume",
    args: "[FRAMEWORK]",
    about: `Deletes what was generated for a framework, including your edits of it. Asks first. These stay: its volumes,
always; files that are yours; .env with the secrets of those volumes, unless you give --purge-secrets.`,
    flags: () =>
      writing({
        "purge-secrets": {
          type: "boolean",
          text: "delete .env as well: the data in the volumes can then no longer be opened",
        },
      }),
    examples: [
      "npm run remove-framework crewai",
      "npm run remove-framework -- crewai --yes",
      "npm run remove-framework -- crewai --yes --purge-secrets",
    ],
    load: async () => import("../commands/remove-framework.ts"),
  },
  ports: {
    summary: "show who holds which host port; --check, --fix",
    args: "",
    about: `Shows who holds which host port, and whether something listens there on this host.

"source" says where a port comes from: spec (framework.yaml), env (.env overrides it) or foreign (a compose file that
this program did not generate, or a service that was added by hand).`,
    flags: () =>
      writing({
        ...checkFlag(
          "exit 3 if two hold one port, 1 if two stacks share a name, 5 if PORT_ALLOCATION.md is out of date",
        ),
        fix: {
          type: "boolean",
          text: "give one of two holders of a port another one, and bring PORT_ALLOCATION.md up to date",
        },
        ...DOWNGRADE,
      }),
    examples: [
      "npm run ports",
      "npm run ports -- --check",
      "npm run ports -- --fix --dry-run",
      "npm run ports -- --json",
    ],
    load: async () => import("../commands/ports.ts"),
  },
  status: {
    summary: "show per file: clean, edited, missing, conflicted, outdated; --check",
    args: "[FRAMEWORK...]",
    about: `Compares each file with what was generated and with what would be generated now: clean, edited (by you),
outdated (the spec or the templates changed), missing, or conflicted (an .incoming file is waiting for a decision).
Shows what .env overrides, and what regenerate would do. Writes nothing.`,
    flags: () =>
      reading({ ...checkFlag("exit 4 if a conflict is open, 5 if something is outdated or missing"), ...REQUIRE_ENV }),
    examples: ["npm run status", "npm run status -- crewai", "npm run status -- --check", "npm run status -- --json"],
    load: async () => import("../commands/status.ts"),
  },
  validate: {
    summary: "check directories against the rules and, with --live, the running stacks",
    args: "[FRAMEWORK...]",
    about: `Checks frameworks against the rules, without an engine: the Compose files as Compose combines them, also those
that you edited or wrote; .env and the files of env_file; ports and names across all frameworks. Exits with 6 if there
is a finding.

With --live, it also asks the running stacks: state, health, memory, disk, logs and ports of every container; then
each service as its clients use it, and whether others are refused. Probes delete what they write. Where there is a
baseline, it also measures, unless --read-only is given.

A rule that does not apply to a service is waived in framework.yaml, with the reason and, if you like, a last day:
  waivers: [{rule: read-only, service: my-app, reason: "writes its cache", expires: "2027-03-31"}]`,
    flags: () =>
      reading({
        live: { type: "boolean", text: "also ask the running stacks" },
        timeout: {
          type: "string",
          value: "SECONDS",
          text: "with --live or --baseline: how long one answer may take (default 10)",
        },
        wait: {
          type: "string",
          value: "SECONDS",
          text: "with --live or --baseline: wait so long for every service to be healthy (default 0)",
        },
        "read-only": { type: "boolean", text: "with --live: leave out the probes that write something for a moment" },
        baseline: {
          type: "boolean",
          text: "measure how fast the running stacks respond and save the figures; later runs with --live report what became slower or faster",
        },
        every: { type: "string", value: "SECONDS", text: "check again every SECONDS, and show what changed" },
        webhook: {
          type: "string",
          value: "URL",
          text: "with --every: send changes there as JSON (or VALIDATE_WEBHOOK in the environment)",
        },
        "on-change": {
          type: "string",
          value: "COMMAND",
          text: "with --every: run a command, with the changes as JSON on its standard input",
        },
        "fail-on": {
          type: "string",
          value: "error|warning|info",
          text: "the least grave finding to exit with 6 for (default error)",
        },
        "allow-unknown": { type: "boolean", text: "what could not be determined is no reason to exit with 6" },
        report: {
          type: "string",
          multiple: true,
          value: "FILE",
          text: "also write a report: .html (a page), .json, .md (Markdown), .xml (JUnit), .sarif or .prom (metrics); can be repeated",
        },
        "init-waivers": {
          type: "boolean",
          text: "write a waiver into framework.yaml for each rule and service with a finding today",
        },
        "init-ci": {
          type: "string",
          value: "github|gitlab",
          text: "write a CI file that runs regenerate --check and validate",
        },
        explain: { type: "string", value: "ID", text: "say what a rule or a probe is for, and what to do" },
      }),
    examples: [
      "npm run validate",
      "npm run validate -- crewai --fail-on warning",
      "npm run validate -- crewai --live --wait 180",
      "npm run validate -- crewai --baseline",
      "npm run validate -- --live --every 60 --report /var/lib/node_exporter/frameworks.prom",
      "npm run validate -- --live --report report.html",
      "npm run validate -- --report findings.sarif --report findings.md",
      "npm run validate -- --init-ci github",
      "npm run validate -- --explain loopback",
    ],
    load: async () => import("../commands/validate.ts"),
  },
  doctor: {
    summary: "check whether this host is fit: engine, versions, memory, disk, kernel, ports",
    args: "",
    about: `Checks whether this host can run the frameworks of the root: whether the container engine answers, and why not;
versions; memory, disk, processor and kernel against what all frameworks ask for; ports, images, clock, proxy. Each
finding names what helps. Exits with 1 if something is wrong; what cannot be determined is shown as unknown.`,
    flags: () =>
      reading({
        report: { type: "boolean", text: "print a text for a bug report instead: no names, paths or addresses in it" },
      }),
    examples: ["npm run doctor", "npm run -s doctor -- --report > report.txt", "npm run -s doctor -- --json"],
    load: async () => import("../commands/doctor.ts"),
  },
} as const satisfies Record<string, Row>;

export type CommandName = keyof typeof COMMANDS;

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}
