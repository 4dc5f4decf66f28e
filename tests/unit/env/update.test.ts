import { describe, expect, it } from "vitest";

import { updateEnv, type EnvChange } from "../../../src/env/update.ts";
import { quoteEnv, type Section, type Variable } from "../../../src/env/variables.ts";
import { dotenvValues } from "../../../src/env/dotenv.ts";

function section(port: number, more: Partial<Variable>[] = []): Section[] {
  const variable = (part: Partial<Variable>): Variable => ({
    name: "X",
    class: "managed",
    description: "",
    rotate: undefined,
    permanent: false,
    prefix: "",
    value: "",
    sameAs: undefined,
    line: "",
    secret: part.class === "secret",
    form: undefined,
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

/** What the old spec rendered: `PORT=1` and what is made of it. */
const rendered = new Map(
  section(1)[0]
    ?.variables.filter(({ class: kind }) => kind !== "default")
    .map(({ name, value }) => [name, new Set([value])]),
);
const update = (text: string, more: Partial<Variable>[] = [], options: Partial<EnvChange> = {}): string =>
  updateEnv({ text, rendered, after: section(2, more), before: undefined, secrets, mayGo: () => false, ...options });

describe("updateEnv", () => {
  const same = [{ name: "SAME", value: "http://localhost:2/${KEY}", sameAs: "URL" }];

  it("gives a second name of a variable the value that the user gave the first", () => {
    const mine = ENV.replace("URL=http://localhost:1/old", "URL=https://mine.example");
    expect(dotenvValues(update(ENV, same)).get("SAME")).toBe("http://localhost:2/old");
    expect(dotenvValues(update(mine, same)).get("SAME")).toBe("https://mine.example");
    // It was rendered, and the user changed the first since.
    const before = new Map([...rendered, ["SAME", new Set(["http://localhost:1/${KEY}"])]]);
    const there = `${mine}SAME=http://localhost:1/old\n`;
    expect(dotenvValues(update(there, same, { rendered: before })).get("SAME")).toBe("https://mine.example");
    const own = `${mine}SAME=https://other.example\n`;
    expect(dotenvValues(update(own, same, { rendered: before })).get("SAME")).toBe("https://other.example");
  });

  it("moves managed variables along and touches nothing else", () => {
    expect(update(ENV)).toBe(ENV.replace("PORT=1", "PORT=2").replace("localhost:1", "localhost:2"));
  });

  it("leaves a managed variable that the user changed", () => {
    expect(update(ENV.replace("PORT=1", "PORT=9"))).toContain("PORT=9\nURL=http://localhost:2/old");
  });

  it("never changes a secret", () => {
    expect(update(ENV.replace("KEY=old", "KEY=theirs"))).toContain("KEY=theirs");
  });

  it("adds what is new behind its neighbours, and no default", () => {
    const text = update(ENV, [{ name: "NEW_KEY", class: "secret" }]);
    expect(text).toContain("API='typed by me'\nNEW_KEY=fresh\nOTHER=$PORT\n");
    expect(text).not.toContain("IMAGE");
  });

  it("adds a new section at the end, under its title", () => {
    const more = {
      title: "More",
      variables: section(2, [{ name: "NEW_KEY", class: "secret" }])[0]?.variables.slice(-1) ?? [],
    };
    expect(update(ENV, [], { after: [...section(2), more] })).toMatch(/OTHER=\$PORT\n\n# More\nNEW_KEY=fresh\n$/);
  });

  it("takes away a managed variable that nothing needs any more, unless somebody changed it or it may not go", () => {
    const without = (text: string, mayGo: boolean): string => update(text, [], { after: [], mayGo: () => mayGo });
    const plain = ENV.replace("OTHER=$PORT\n", "");
    expect(without(plain, true)).toBe("# mine\nKEY=old\nAPI='typed by me'\n");
    expect(without(plain.replace("PORT=1", "PORT=9"), true)).toContain("PORT=9\n");
    // Another line is made from it.
    expect(without(ENV, true)).toContain("PORT=1\n");
    expect(without(ENV, false)).toBe(ENV);
  });

  it("fills in a secret that is empty", () => {
    expect(update(ENV.replace("KEY=old", "KEY="))).toContain("KEY=old\n");
  });

  it("of a change of the spec alone, moves only what the change moves", () => {
    const stale = ENV.replace("PORT=1", "PORT=0");
    const known = new Map([...rendered, ["PORT", new Set(["0"])] as const]);
    expect(update(stale, [], { rendered: known, before: section(2), after: section(2) })).toBe(stale);
    expect(update(stale, [], { rendered: known, before: section(1), after: section(2) })).toContain("PORT=2");
  });

  it("does not bring back what the user deleted, but for what the stack cannot start without", () => {
    const text = update(ENV.replace("API='typed by me'\n", "").replace("KEY=old\n", ""));
    expect(text).not.toContain("API");
    expect(text).toContain("KEY=old");
  });

  it("keeps CRLF and a missing last line feed", () => {
    const crlf = ENV.replaceAll("\n", "\r\n");
    expect(update(crlf)).toBe(update(ENV).replaceAll("\n", "\r\n"));
    expect(update(ENV.trimEnd(), [{ name: "NEW_KEY", class: "secret" }])).toContain("NEW_KEY=fresh\nOTHER=$PORT");
  });

  it("is not led astray by a lone carriage return, nor by mixed line ends", () => {
    const odd = `NOTE=x\rY=1\n# two\r\n${ENV}`;
    expect(update(odd)).toBe(`NOTE=x\rY=1\n# two\r\n${update(ENV)}`);
  });

  it("changes nothing when nothing changed", () => {
    expect(update(ENV, [], { after: section(1) })).toBe(ENV);
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
  "ends with \\",
  "a\\'b c",
  "https://x.example/?a=b&c=d",
  "[::1]:3000",
  "a'b$c\"d",
])("quoteEnv: %j comes back", (value) => {
  expect(dotenvValues(`A=${quoteEnv(value)}\n`).get("A")).toBe(value);
});
