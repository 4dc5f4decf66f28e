import * as z from "zod/mini";

const KINDS: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  null: "nothing",
};

/** What a value is, in a person's words. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return KINDS[typeof value] ?? typeof value;
}

type Issue<Code> = Extract<z.core.$ZodRawIssue, { code: Code }>;

/** zod's issues in plain words, for every schema of this program; a schema's own message wins over it. */
function message(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") return wrongType(issue);
  if (issue.code === "invalid_value") {
    const values = issue.values.map(String).join(", ");
    return issue.values.length === 1 ? `must be ${values}` : `must be one of: ${values}`;
  }
  if (issue.code === "too_small") {
    const counted = issue.origin === "string" || issue.origin === "array";
    return counted ? "must not be empty" : `must be at least ${String(issue.minimum)}`;
  }
  if (issue.code === "too_big") {
    const most = `at most ${String(issue.maximum)}`;
    return issue.origin === "string" ? `must have ${most} characters` : `must be ${most}`;
  }
  if (issue.code === "invalid_format") return issue.format === "url" ? "must be a URL" : NOT_ALLOWED;
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? "is not a valid key";
  return undefined;
}

const NOT_ALLOWED = "has characters that are not allowed here";

function wrongType({ expected, input }: Issue<"invalid_type">): string {
  const wanted = KINDS[expected] ?? expected;
  return input === undefined ? `is missing; ${wanted} is expected` : `must be ${wanted}, not ${kindOf(input)}`;
}

// Without code made for each schema at run time: it pays off only after some thousand values.
z.config({ customError: message, jitless: true });

/** Checks a value against a schema; messages are in plain words. */
export function check<T>(schema: z.ZodMiniType<T>, value: unknown): z.core.util.SafeParseResult<T> {
  return z.safeParse(schema, value, { reportInput: true });
}
