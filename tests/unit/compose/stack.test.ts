import { describe, expect, it } from "vitest";

import { stackOf } from "../../../src/compose/stack.ts";

const services = (...texts: string[]): Record<string, Record<string, unknown>> =>
  Object.fromEntries(
    [
      ...stackOf(
        texts.map((text, index) => ({ file: String(index), text })),
        (name) => ({ A: "1" })[name],
        "/srv",
      ).compose.services.values(),
    ].map(({ name, settings }) => [name, settings]),
  );

// tests/live/compose-reading.test.ts holds the same against Docker Compose itself.
describe("the files of a stack", () => {
  it("are merged by key; lists are added to, commands are replaced", () => {
    expect(
      services(
        "services: {a: {image: x, cap_drop: [NET_RAW], command: [a, b], environment: [A=1, B=2]}}",
        "services: {a: {cap_drop: [ALL], command: [c], environment: {B: 3}}, b: {image: y}}",
      ),
    ).toEqual({
      a: { image: "x", cap_drop: ["NET_RAW", "ALL"], command: ["c"], environment: { A: "1", B: 3 } },
      b: { image: "y" },
    });
  });

  it("have a mount for each target, the last one", () => {
    expect(
      services(
        "services: {a: {volumes: [data:/data, ./b:/b]}}",
        "services: {a: {volumes: [{type: bind, source: /etc, target: /data}]}}",
      )["a"]?.["volumes"],
    ).toEqual([{ type: "bind", source: "/etc", target: "/data" }, "./b:/b"]);
  });

  it("know !reset and !override", () => {
    expect(
      services(
        "services: {a: {image: x, ports: ['1:1'], user: '1', networks: [n]}}",
        "services: {a: {ports: !override ['2:2'], user: !reset null, networks: !reset []}}",
      ),
    ).toEqual({ a: { image: "x", ports: ["2:2"] } });
  });

  it("have their variables filled in, and a service of the same file that is extended", () => {
    expect(services("services: {a: {user: '${A}', cap_drop: [ALL]}, b: {extends: a, image: '${B:-y}'}}")).toEqual({
      a: { user: "1", cap_drop: ["ALL"] },
      b: { user: "1", cap_drop: ["ALL"], image: "y" },
    });
  });

  it("may extend in a circle, which nobody can judge", () => {
    const stack = stackOf(
      [{ file: "f", text: "services: {a: {extends: b}, b: {extends: a}}" }],
      () => undefined,
      "/srv",
    );
    expect(stack.unknown.length).toBeGreaterThan(0);
  });

  it("may grow without bound, and are left as they are written then", () => {
    const text = `services: {a: {image: "${"${A}".repeat(1000)}"}}`;
    const stack = stackOf([{ file: "f", text }], () => "x".repeat(10_000), "/srv");
    expect(String(stack.compose.services.get("a")?.image).length).toBeLessThan(1_000_000);
  });

  it("may not grow without bound by many values either", () => {
    const text = `services: {a: {image: x, environment: {${Array.from({ length: 100 }, (_, index) => `K${String(index)}: "\${BIG}"`).join(", ")}}}}`;
    const { compose } = stackOf([{ file: "compose.yaml", text }], () => "b".repeat(50_000), "/srv");
    // A hundred times as much would be five million.
    expect(JSON.stringify(compose.services.get("a")?.settings).length).toBeLessThan(300_000);
  });
});
