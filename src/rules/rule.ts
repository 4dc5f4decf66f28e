import type { DotenvProblem } from "../env/dotenv-problems.ts";
import type { Service } from "../compose/model.ts";
import type { Stack } from "../compose/stack.ts";
import type { Variable } from "../env/variables.ts";

export type Severity = "error" | "warning" | "info";

/** What a rule is, for people and for other programs. */
export interface RuleInfo {
  /** Never changes, and is never reused: waivers and reports of other programs name it. */
  id: string;
  severity: Severity;
  /** What holds where nothing is wrong, as a sentence. */
  title: string;
  /** What can happen otherwise. */
  why: string;
  /** What to do. */
  fix: string;
  /** Numbers of the CIS Docker Benchmark 1.6.0. */
  cis?: readonly string[];
  /** Numbers of the OWASP Docker Security cheat sheet. */
  owasp?: readonly string[];
  /** Names of KICS's queries for Docker Compose. */
  kics?: readonly string[];
}

/** What a rule says of something that it does not hold for. */
export interface Verdict {
  message: string;
  /** Key in a Compose file, below the service for a rule about services. */
  path?: readonly string[];
  /** `unknown` where it cannot be determined whether the rule holds. */
  outcome?: "unknown";
  /** Where this case is less, or more, grave than others. */
  severity?: Severity;
}

/** A rule about one service of a Compose file whose variables are filled in. */
export interface ServiceRule extends RuleInfo {
  /** @returns what is wrong with it; undefined when nothing is */
  check: (service: Service, stack: Stack) => Verdict | undefined;
}

/** What is in `.env`, beside what should be. */
export interface EnvSubject {
  /** Every variable that the directory's `.env` has or may have. */
  variables: readonly Variable[];
  values: ReadonlyMap<string, string>;
  /** What everybody knows of the stack, in lower case: its own name, and those of its services. */
  names: ReadonlySet<string>;
}

/** A rule about `.env`. */
export interface EnvRule extends RuleInfo {
  /** @returns what is wrong, each with the name of its variable */
  check: (env: EnvSubject) => readonly { variable: string; message: string }[];
}

/** What is known of a framework's directory as a whole. */
export interface FrameworkSubject {
  /** Path of the directory, as it is shown to people. */
  shown: string;
  stack: Stack;
  /** Undefined when there is no `.env`, or it may not be read. */
  env: EnvFacts | undefined;
  /** Of `env_file` of its services. */
  envFiles: readonly EnvFile[];
  /** What everybody knows of the stack; undefined where there is no `.env`. */
  values: Pick<EnvSubject, "names"> | undefined;
  /** Files with an open conflict, relative to the directory. */
  conflicts: readonly string[];
  /** Ports that another holder has as well, as sentences. */
  clashes: readonly string[];
  /** Other directories whose stack has the same name. */
  twins: readonly string[];
}

/** A file that a service takes variables from. */
export interface EnvFile {
  service: string;
  /** As the Compose file names it. */
  path: string;
  required: boolean;
  /** As it is shown to people. */
  file: string;
  /** Whether it is the stack's `.env`. */
  isOwnEnv: boolean;
  /** Undefined for one elsewhere, and where it has a problem. */
  text: string | undefined;
  problem: "missing" | "unreadable" | undefined;
  /** Whether git has it; undefined when git cannot be asked. */
  isTracked: boolean | undefined;
}

/** What is known of the file `.env` itself. */
interface EnvFacts {
  /** Its permission bits. */
  mode: number;
  /** Whether git has it in a commit or is about to; undefined when git cannot be asked. */
  isTracked: boolean | undefined;
  /** What Compose refuses in it. */
  problems: readonly DotenvProblem[];
}

/** Where what a rule says of a directory stands: at a key of the Compose file, or in another file. */
interface FrameworkVerdict extends Verdict {
  file?: string;
  /** In that file. */
  line?: number;
  key?: string;
  service?: string;
}

/** A rule about a directory as a whole. */
export interface FrameworkRule extends RuleInfo {
  check: (framework: FrameworkSubject) => readonly FrameworkVerdict[];
}

/** One thing that a rule says. */
export interface Finding {
  rule: string;
  severity: Severity;
  outcome: "fail" | "unknown" | "waived";
  service: string | null;
  file: string | null;
  line: number | null;
  key: string | null;
  message: string;
  fix: string;
}
