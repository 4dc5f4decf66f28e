import { expect, it } from "vitest";

import { overviewOf, type StackOverview } from "../../../src/compose/overview.ts";
import { stackOf } from "../../../src/compose/stack.ts";

function overview(text: string): StackOverview {
  return overviewOf(stackOf([{ file: "c", text }], () => undefined, "/x").compose, "app");
}

it("lists networks as the engine knows them, those to other hosts first, and who is on each", () => {
  const { networks } = overview(`
services:
  web: { image: x, networks: [back, front] }
  db: { image: x, networks: { back: {} } }
  plain: { image: x }
  lonely: { image: x, networks: [own] }
  host: { image: x, network_mode: host }
  lan: { image: x, networks: [street] }
networks:
  front: {}
  back: { internal: true }
  own: { name: shared, external: true }
  street: { driver: macvlan }
  unused: {}
`);
  expect(networks).toEqual([
    { name: "app_street", kind: "lan", services: ["lan"] },
    { name: "app_front", kind: "bridge", services: ["web"] },
    { name: "app_default", kind: "bridge", services: ["plain"] },
    { name: "shared", kind: "external", services: ["lonely"] },
    { name: "app_back", kind: "internal", services: ["web", "db"] },
  ]);
});

it.each<[string, unknown, string[]]>([
  ["one port", ["127.0.0.1:80:80"], ["127.0.0.1 80-80 tcp here"]],
  [
    "a range, in pieces",
    ["8000-8002:8000-8002", "8003:1", "9000:2"],
    ["0.0.0.0 8000-8003 tcp", "0.0.0.0 9000-9000 tcp"],
  ],
  ["two protocols", ["53:53/udp", "54:54"], ["0.0.0.0 53-53 udp", "0.0.0.0 54-54 tcp"]],
  ["the address of IPv6", ["[::1]:80:80"], ["::1 80-80 tcp here"]],
  ["one that the engine chooses", ["127.0.0.1::80"], ["a port that the engine chooses here"]],
  ["more than anybody lists", ["1-65535:1-65535"], ["more ports than are listed"]],
])("says what a service publishes: %s", (_, ports, wanted) => {
  const [{ published } = { published: { ranges: [], others: [] } }] = overview(
    JSON.stringify({ services: { a: { image: "x", ports } } }),
  ).services;
  const here = (isLoopback: boolean): string => (isLoopback ? " here" : "");
  expect([
    ...published.ranges.map(
      ({ address, first, last, protocol, isLoopback }) =>
        `${address} ${String(first)}-${String(last)} ${protocol}${here(isLoopback)}`,
    ),
    ...published.others.map(({ text, isLoopback }) => `${text}${here(isLoopback)}`),
  ]).toEqual(wanted);
});
