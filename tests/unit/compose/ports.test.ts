import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { isComposeFile } from "../../../src/compose/file.ts";
import { composeModel, publishedPorts, type Compose } from "../../../src/compose/model.ts";
import { portEntry, publishedBy } from "../../../src/compose/ports.ts";
import { scanImages, scanPorts } from "../../../src/compose/scan.ts";
import { interpolate } from "../../../src/env/interpolate.ts";
import { CASES } from "../../golden/cases.ts";
import { treeOf } from "../../helpers/catalogue.ts";

/** The model of what must be a mapping. */
function model(text: string): Compose {
  const compose = composeModel(parse(text, { merge: true }));
  if (compose === undefined) throw new Error("not a mapping");
  return compose;
}

describe("an entry of ports, in short syntax", () => {
  it.each<[string, [string, string, number][]]>([
    ["8080:80", [["tcp", "0.0.0.0", 8080]]],
    ["127.0.0.1:8080:80", [["tcp", "127.0.0.1", 8080]]],
    ["0.0.0.0:8080:80/tcp", [["tcp", "0.0.0.0", 8080]]],
    ["53:53/udp", [["udp", "0.0.0.0", 53]]],
    ["53:53/UDP", [["udp", "0.0.0.0", 53]]],
    ["[::1]:8080:80", [["tcp", "::1", 8080]]],
    ["[::]:8080:80", [["tcp", "::", 8080]]],
    ["::1:8080:80", [["tcp", "::1", 8080]]],
    [
      "8000-8002:80",
      [
        ["tcp", "0.0.0.0", 8000],
        ["tcp", "0.0.0.0", 8001],
        ["tcp", "0.0.0.0", 8002],
      ],
    ],
    [
      "9000-9001:80-81/udp",
      [
        ["udp", "0.0.0.0", 9000],
        ["udp", "0.0.0.0", 9001],
      ],
    ],
    ["80", []],
    ["127.0.0.1::80", []],
    ["80/udp", []],
    ["", []],
    ["a:b:c", []],
    ["70000:80", []],
    ["8002-8000:80", []],
    ["8080:80/sctp", []],
  ])("%j", (text, expected) => {
    const entry = portEntry(text);
    const found = entry === undefined ? [] : publishedBy(entry, (each) => each);
    expect(found?.map(({ protocol, address, port }) => [protocol, address, port])).toEqual(expected);
  });
});

it("does not count a range that nobody can mean", () => {
  const compose = model(
    'services:\n  a:\n    ports: ["1-20000:1-20000", "9000:1"]\n  b:\n    ports: ["1-20001:1-20001"]\n',
  );
  const { ports, tooMany } = publishedPorts(compose, (text) => text);
  expect([ports.length, tooMany]).toEqual([20_000, ["a", "b"]]);
});

function published(text: string, env: Record<string, string> = {}): unknown[] {
  const expand = (value: string): string => interpolate(value, (name) => env[name]);
  return publishedPorts(model(text), expand).ports.map(({ service, protocol, address, port }) => [
    service,
    protocol,
    address,
    port,
  ]);
}

describe("publishedPorts", () => {
  it("reads short syntax, numbers and variables", () => {
    const text = `services:
  a: { ports: ["8080:80", "\${P:-9000}:1", "\${Q}:2", 3000] }
  b: { ports: ["127.0.0.1:\${Q}:3"] }
`;
    expect(published(text, { Q: "7000" })).toEqual([
      ["a", "tcp", "0.0.0.0", 8080],
      ["a", "tcp", "0.0.0.0", 9000],
      ["a", "tcp", "0.0.0.0", 7000],
      ["b", "tcp", "127.0.0.1", 7000],
    ]);
  });

  it("reads long syntax, with text, numbers, ranges and variables", () => {
    const text = `services:
  a:
    ports:
      - { target: 80, published: 8080 }
      - { target: 80, published: "8081", host_ip: "::1", protocol: udp }
      - { target: 80, published: "8090-8091", host_ip: "" }
      - { target: 80, published: "\${P}" }
      - { target: 80 }
`;
    expect(published(text, { P: "9000" })).toEqual([
      ["a", "tcp", "0.0.0.0", 8080],
      ["a", "udp", "::1", 8081],
      ["a", "tcp", "0.0.0.0", 8090],
      ["a", "tcp", "0.0.0.0", 8091],
      ["a", "tcp", "0.0.0.0", 9000],
    ]);
  });

  it("follows anchors and merge keys", () => {
    const text = 'x-a: &a { ports: ["8080:80"] }\nservices:\n  one: *a\n  two: { <<: *a }\n';
    expect(published(text)).toHaveLength(2);
  });

  it("is no model of what is no mapping", () => {
    for (const text of ["", "- 1", "x"]) expect(composeModel(parse(text))).toBeUndefined();
  });

  it.each([
    "services: x",
    "services: {a: null}",
    "services: {a: {ports: x}}",
    "services: {a: {ports: [null, [], {}]}}",
  ])("finds nothing in %j", (text) => {
    expect(published(text)).toEqual([]);
  });
});

it("knows which names are compose files", () => {
  const yes = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.prod.yaml",
    "compose.override.yaml",
    "compose-dev.yml",
  ];
  const no = ["compose.yaml.bak", "compose", "mycompose.yaml", "compose.yaml.incoming", "docker.yaml"];
  expect(yes.filter((name) => !isComposeFile(name))).toEqual([]);
  expect(no.filter((name) => isComposeFile(name))).toEqual([]);
});

describe("scanPorts", () => {
  const expand = (value: string): string => interpolate(value, () => undefined);

  it("reads what this program generates exactly as a YAML parser does", async () => {
    for (const draft of Object.values(CASES)) {
      const text = (await treeOf(draft)).get("compose.yaml")?.content ?? "";
      const scanned = scanPorts(text, expand);
      expect(scanned).toEqual(publishedPorts(model(text), expand).ports);
      expect(scanned).toBeDefined();
    }
  });

  it.each([
    "services:\n  a:\n    ports: ['8080:80']\n",
    "services:\n  a:\n    ports:\n      - 8080:80\n",
    'services:\n  a:\n    ports:\n    - "8080:80"\n',
    "services:\n  a:\n    ports:\n      - { target: 80, published: 8080 }\n",
    'x-a: &a\n  ports:\n    - "8080:80"\nservices:\n  a:\n    <<: *a\n',
  ])("leaves %j to the parser", (text) => {
    expect(scanPorts(text, expand)).toBeUndefined();
  });
});

describe("scanImages", () => {
  it("reads what this program generates exactly as a YAML parser does", async () => {
    for (const draft of Object.values(CASES)) {
      const text = (await treeOf(draft)).get("compose.yaml")?.content ?? "";
      const images = [...model(text).services.values()].map(({ name, image }) => [name, image]);
      expect(images.length).toBeGreaterThan(1);
      expect([...(scanImages(text) ?? [])]).toEqual(images);
    }
  });

  it.each([
    "services:\n  a:\n    image: 'x'\n",
    "services:\n  a: { image: x }\n",
    "services:\n    a:\n        image: x\n",
    "services:\n  a:\n    image: *x\n",
    "x-a: &a\n    image: x\nservices:\n  a:\n    <<: *a\n",
    "x-a: &a\n    image: x\nservices:\n  a: *a\n",
  ])("leaves %j to the parser", (text) => {
    expect(scanImages(text)).toBeUndefined();
  });
});
