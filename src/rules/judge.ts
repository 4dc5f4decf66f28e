import { YamlPlaces } from "../lib/yaml.ts";
import { everyAssignment, lineCounter } from "../env/dotenv.ts";
import type { Spec } from "../spec/schema.ts";
import { CONTAINER_RULES } from "./container.ts";
import { ENV_FILE_RULES } from "./env-files.ts";
import { ENV_RULES } from "./environment.ts";
import { EXPOSURE_RULES } from "./exposure.ts";
import { FRAMEWORK_RULES, SPEC_RULE } from "./framework.ts";
import { MOUNT_RULES } from "./mounts.ts";
import type { EnvSubject, Finding, FrameworkSubject, RuleInfo, ServiceRule, Verdict } from "./rule.ts";
import { WAIVER_RULE, withWaivers, type Exception, type WaiverProblem } from "./waivers.ts";
import { WRITTEN_SECRETS } from "./written-secrets.ts";

export const SERVICE_RULES: readonly ServiceRule[] = [
  ...CONTAINER_RULES,
  ...EXPOSURE_RULES,
  ...MOUNT_RULES,
  WRITTEN_SECRETS,
];

/** Every rule there is, in the order in which they are documented. */
export const RULES: readonly RuleInfo[] = [
  ...SERVICE_RULES,
  ...ENV_RULES,
  ...FRAMEWORK_RULES,
  ...ENV_FILE_RULES,
  SPEC_RULE,
  WAIVER_RULE,
];

/** A framework's directory, as far as it is judged. */
export interface Subject extends FrameworkSubject {
  spec: Spec;
  specText: string;
  /** What the catalogue says of the containers that it brings: rules that do not count for one, and why. */
  exceptions: readonly Exception[];
  /** Undefined when there is no `.env`, or it may not be read. */
  values: (EnvSubject & { text: string }) | undefined;
}

export interface Judgement {
  findings: readonly Finding[];
  /** How many times a rule was kept: by a service, by `.env`, by the directory. */
  passed: number;
}

/** @param today as YYYY-MM-DD, in UTC */
export function judge(subject: Subject, today: string): Judgement {
  const places = new Places(subject);
  const findings: Finding[] = [];
  let passed = 0;
  for (const service of subject.stack.compose.services.values()) {
    for (const rule of SERVICE_RULES) {
      const verdict = rule.check(service, subject.stack);
      if (verdict === undefined) passed += 1;
      else findings.push(places.inCompose(rule, service.name, ["services", service.name], verdict));
    }
  }
  const { values } = subject;
  const aboutEnv = values === undefined ? [] : ENV_RULES.map((rule) => ({ rule, found: rule.check(values) }));
  for (const { rule, found } of aboutEnv) {
    if (found.length === 0) passed += 1;
    for (const { variable, message } of found) findings.push(places.inEnv(rule, variable, message));
  }
  for (const rule of [...FRAMEWORK_RULES, ...ENV_FILE_RULES]) {
    const found = rule.check(subject);
    if (found.length === 0) passed += 1;
    for (const { file, service, line, key, ...verdict } of found) {
      if (file === undefined) findings.push(places.inCompose(rule, service ?? null, [], verdict));
      else findings.push({ ...places.inFile(rule, file, verdict), line: line ?? null, key: key ?? null });
    }
  }
  const known = new Set(RULES.map(({ id }) => id));
  const shown = findings.map((finding) => ({ ...finding, message: withoutSecrets(finding.message, values) }));
  const { findings: judged, problems } = withWaivers(shown, subject.spec.waivers, subject.exceptions, known, today);
  if (problems.length === 0) passed += 1;
  return { findings: [...judged, ...problems.map((problem) => places.inWaivers(problem))], passed };
}

/** A message in which no value of `.env` stands, but for those that are made from the spec or are an image or a limit. */
export function withoutSecrets(message: string, env: Subject["values"]): string {
  if (env === undefined) return message;
  const shown = new Set(
    env.variables.filter(({ class: kind }) => kind === "managed" || kind === "default").map(({ name }) => name),
  );
  // Compose's own: which files there are.
  shown.add("COMPOSE_FILE");
  // Longer ones first: one may be a part of another. What is shorter than four is in every other word, and true and false are no secrets.
  return [...env.values]
    .filter(([name, value]) => !shown.has(name) && value.length >= 4 && !/^(?:true|false|none)$/i.test(value))
    .toSorted(([, a], [, b]) => b.length - a.length)
    .reduce((text, [name, value]) => text.replaceAll(value, () => `\${${name}}`), message);
}

/** The finding of a directory that cannot be read. */
export function notReadable(message: string, file: string | undefined, line: number | undefined, fix: string): Finding {
  return { ...base(SPEC_RULE, { message }), file: file ?? null, line: line ?? null, fix };
}

function base(rule: RuleInfo, verdict: Verdict): Finding {
  return {
    rule: rule.id,
    severity: verdict.severity ?? rule.severity,
    outcome: verdict.outcome ?? "fail",
    service: null,
    file: null,
    line: null,
    key: null,
    message: verdict.message,
    fix: rule.fix,
  };
}

/** Where findings stand. Files are parsed for it only when there is one. */
class Places {
  readonly #subject: Subject;
  readonly #files: readonly { file: string; places: YamlPlaces }[];
  readonly #spec: YamlPlaces;

  constructor(subject: Subject) {
    this.#subject = subject;
    this.#files = subject.stack.files.map(({ file, text }) => ({ file, places: YamlPlaces.of(text) }));
    this.#spec = YamlPlaces.of(subject.specText);
  }

  /** In the last file that has the key, or most of the way to it: that one counts. */
  inCompose(rule: RuleInfo, service: string | null, above: readonly string[], verdict: Verdict): Finding {
    const path = [...above, ...(verdict.path ?? [])];
    let best: { file: string; line: number; depth: number } | undefined;
    for (const { file, places } of this.#files) {
      const found = places.find(path);
      if (found !== undefined && found.depth >= (best?.depth ?? 0)) best = { file, ...found };
    }
    return {
      ...base(rule, verdict),
      service,
      file: best?.file ?? this.#files[0]?.file ?? this.#subject.shown,
      line: best?.line ?? null,
      key: path.length === 0 ? null : path.join("."),
    };
  }

  inEnv(rule: RuleInfo, variable: string, message: string): Finding {
    const text = this.#subject.values?.text ?? "";
    const at = everyAssignment(text).findLast(({ name }) => name === variable)?.start;
    const line = at === undefined ? null : lineCounter(text)(at);
    return { ...base(rule, { message: `${variable} ${message}` }), file: this.#path(".env"), line, key: variable };
  }

  inFile(rule: RuleInfo, file: string, verdict: Verdict): Finding {
    return { ...base(rule, verdict), file: this.#path(file) };
  }

  inWaivers({ index, message, severity }: WaiverProblem): Finding {
    const line = this.#spec.find(["waivers", String(index)])?.line ?? null;
    return {
      ...base(WAIVER_RULE, { message, severity }),
      file: this.#path("framework.yaml"),
      line,
      key: `waivers.${String(index)}`,
    };
  }

  /** @param file relative to the directory; or as it is shown already, absolute or below the root */
  #path(file: string): string {
    const { shown } = this.#subject;
    return file.startsWith("/") || file.startsWith(`${shown}/`) ? file : `${shown}/${file}`;
  }
}
