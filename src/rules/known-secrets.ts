/** Values that stand in public examples of Compose files and in tutorials, in lower case; beside the services' names. */
const PUBLISHED = new Set(
  [
    "postgresql password passw0rd p@ssw0rd secret mysecret mysecretpassword example redis myredissecret minio",
    "miniosecret minioadmin minio123 mysalt admin administrator root toor test testing guest default user pass",
    "changeit changeme change-me change_me changethis letmein qwerty grafana airflow sk-1234 1234567890",
    "supersecret any some_any s3secret accesskey secretkey your-secret-key api-key apikey pk_1234567890",
    "sk_1234567890",
  ].flatMap((line) => line.split(" ")),
);

const PLACEHOLDER =
  /^(?:<.*>|\[.*\]|\{\{.*\}\}|(?:please[-_ ]?)?(?:change|replace|fill|insert|put|enter)[-_ ]?(?:me|this|it|in|here|your).*|(?:your|my)[-_ ].*|x{3,}|\*{3,}|\.{3}|todo|tbd|none|null|dummy.*|placeholder.*|(?:sk|pk)-(?:\.{3}|x+|your.*))$/i;

/** Whether a value is one that somebody was meant to replace. */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value.trim());
}

/**
 * What is wrong with a secret, or undefined when nothing is to be seen: a value that is published, too short for one
 * that nobody has to type (128 bits are 22 characters of base64), or hardly random at all.
 * @param names what everybody knows of the stack, in lower case: its own name, and those of its services
 */
export function weakness(value: string, names: ReadonlySet<string>): string | undefined {
  const lower = value.toLowerCase();
  if (names.has(lower)) return "it is a name that everybody knows";
  if (PUBLISHED.has(lower)) return "it stands in public examples";
  if (isPlaceholder(value)) return "it is a placeholder";
  if (value.length < 16) return `it has ${String(value.length)} characters, and a generated one has 64`;
  if (new Set(lower).size < 6) return "it repeats a few characters";
  if (/^(?:0123456789abcdef|abcdefghijklmnop|1234567890)+/i.test(lower)) return "it is a sequence";
  return undefined;
}

const SECRET_NAME =
  /(?:^|[_.-])(?:\w*PASSWORD|\w*PASSWD|PASS|PWD|SECRET|TOKEN|\w*API_?KEY|\w*KEY|SALT|CREDENTIALS?|AUTH)(?:[_.-]|$)/i;
// Names that only sound like one: a file that holds it, an identifier, a switch.
const NO_SECRET =
  /[_.-](?:FILE|PATH|DIR|ID|NAME|PREFIX|ENABLED|DISABLED|DISABLE|DISABLE_SIGNUP|METHOD|MODE|TYPE|URL|HOST|PORT|TTL|ALGORITHM|PROVIDER|USER|USERNAME|EXPIRY|SECONDS|LENGTH|LIMIT|PLUGIN|METHODS?)$|PUBLIC_?KEY|PRIMARY_?KEY|FOREIGN_?KEY/i;

/** Whether a variable of this name, with this text in a Compose file, has a secret in that file. */
export function isSecretWritten(name: string, value: string): boolean {
  const fixed = withoutVariables(value);
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/@\s:]*:[^/@\s]+@/i.test(fixed)) return true;
  if (!SECRET_NAME.test(name) || NO_SECRET.test(name)) return false;
  return fixed !== "" && !/^(?:true|false|yes|no|on|off|null|none|\d{1,4})$/i.test(fixed);
}

const SECRET_ENDING =
  /(?:PASSWORD|PASSWD|(?:^|[_.-])(?:PASS|PWD|SECRET|TOKEN|API_?KEY|(?:SECRET|PRIVATE|ACCESS|ENCRYPTION|SIGNING|MASTER)_?KEY|SALT))$/i;

/**
 * The secret that a variable of somebody's own holds: by its whole name, as a setting of a secret is none
 * (`TOKEN_LIFETIME`), or as the password of a URL. Undefined for a value that comes from another variable.
 */
export function secretOf(name: string, value: string): string | undefined {
  if (value.includes("$")) return undefined;
  const inUrl = /^[a-z][a-z0-9+.-]*:\/\/[^/@\s:]*:([^/@\s]+)@/i.exec(value)?.[1];
  if (inUrl !== undefined) return inUrl;
  return SECRET_ENDING.test(name) && isSecretWritten(name, value) ? value : undefined;
}

/** What of a value is in the file: a default is, as in `${PASSWORD:-postgres}`, also inside another one. */
function withoutVariables(value: string): string {
  let text = value;
  // The innermost first; each round takes one level.
  for (let level = 0; level < 20; level += 1) {
    const next = text
      .replaceAll(/\$\{\w+:?[-+]([^{}]*)\}/g, "$1")
      .replaceAll(/\$\{\w+(?::?\?[^{}]*)?\}|\$[A-Za-z_]\w*/g, "");
    if (next === text) break;
    text = next;
  }
  return text;
}
