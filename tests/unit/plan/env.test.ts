import { describe, expect, it } from "vitest";

import { updateEnv } from "../../../src/plan/env.ts";
import { quoteEnv, type Section, type Variable } from "../../../src/render/env.ts";
import { dotenvValues } from "../../../src/spec/dotenv.ts";

function section(port: number, more: Partial<Variable>[] = []): Section[] {
  const variable = (part: Partial<Variable>): Variable => ({
    name: "X",
    class: "managed",
    description: "",
    rotate: undefined,
    prefix: "",
    value: "",
    ...part,
  });
  return [
    {
      title: "t",
      variables: [
        variable({ name: "PORT", value: String(port) }),
        variable({ name: "URL", value: `http://localhost:${String(port)}/\${KEY}` }),
        variable({ name: "KEY", class: "secret" }),
        variable({ name: "API", class: "user", value: "" }),
        variable({ name: "IMAGE", class: "default", value: "x:1" }),
        ...more.map(variable),
      ],
    },
  ];
}

const ENV = "# mine\nPORT=1\nURL=http://localhost:1/old\nKEY=old\nAPI='typed by me'\nOTHER=$PORT\n";
const secrets = new Map([
  ["KEY", "old"],
  ["NEW_KEY", "fresh"],
]);
const update = (text: string, more: Partial<Variable>[] = []): string =>
  updateEnv(text, section(1), section(2, more), secrets);

describe("updateEnv", () => {
  it("moves managed variables along and touches nothing else", () => {
    expect(update(ENV)).toBe(ENV.replace("PORT=1", "PORT=2").replace("localhost:1", "localhost:2"));
  });

  it("leaves a managed variable that the user changed", () => {
    expect(update(ENV.replace("PORT=1", "PORT=9"))).toContain("PORT=9\nURL=http://localhost:2/old");
  });

  it("never changes a secret", () => {
    expect(update(ENV.replace("KEY=old", "KEY=theirs"))).toContain("KEY=theirs");
  });

  it("adds what is new at the end, and no default", () => {
    const text = update(ENV, [{ name: "NEW_KEY", class: "secret" }]);
    expect(text.endsWith("OTHER=$PORT\nNEW_KEY=fresh\n")).toBe(true);
    expect(text).not.toContain("IMAGE");
  });

  it("keeps CRLF and a missing last line feed", () => {
    const crlf = ENV.replaceAll("\n", "\r\n");
    expect(update(crlf)).toBe(update(ENV).replaceAll("\n", "\r\n"));
    expect(update(ENV.trimEnd(), [{ name: "NEW_KEY", class: "secret" }])).toContain("OTHER=$PORT\nNEW_KEY=fresh\n");
  });

  it("is not led astray by a lone carriage return, nor by mixed line ends", () => {
    const odd = `NOTE=x\rY=1\n# two\r\n${ENV}`;
    expect(update(odd)).toBe(`NOTE=x\rY=1\n# two\r\n${update(ENV)}`);
  });

  it("changes nothing when nothing changed", () => {
    expect(updateEnv(ENV, section(1), section(1), secrets)).toBe(ENV);
  });
});

it.each([
  "",
  "plain",
  "a b",
  "a#b",
  "a$b",
  "it's",
  'a"b',
  "a\\b",
  "https://x.example/?a=b&c=d",
  "[::1]:3000",
  "a'b$c\"d",
])("quoteEnv: %j comes back", (value) => {
  expect(dotenvValues(`A=${quoteEnv(value)}\n`).get("A")).toBe(value);
});
