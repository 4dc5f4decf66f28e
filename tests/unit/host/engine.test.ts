import { expect, it } from "vitest";

import { publishedIn } from "../../../src/host/engine.ts";

it.each<[string, string[]]>([
  ["", []],
  ["6334/tcp", []],
  ["127.0.0.1:6450->6333/tcp, 6334/tcp", ["tcp/6450"]],
  ["0.0.0.0:53->53/udp, :::53->53/udp", ["udp/53", "udp/53"]],
  ["[::]:8000-8002->80-82/tcp", ["tcp/8000", "tcp/8001", "tcp/8002"]],
])("finds the host ports in %j, as `docker ps` prints them", (line, expected) => {
  expect(publishedIn(line)).toEqual(expected);
});
