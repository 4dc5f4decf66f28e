import { expect, it } from "vitest";

import { partsOf } from "../../../src/render/layout.ts";

it("takes the part `compose` from a service's compose.yaml.hbs alone", () => {
  const paths = [
    "compose.yaml.hbs",
    "parts/compose.hbs",
    "external/compose.hbs",
    "parts/note.hbs",
    "external/note.hbs",
  ];
  const templates = new Map(
    paths.map((file) => {
      const path = `services/a/${file}`;
      return [path, { path, source: "", compiled: undefined }];
    }),
  );
  expect(Object.fromEntries(partsOf(templates))).toEqual({
    compose: [{ path: "services/a/compose.yaml.hbs", service: "a", folder: "parts" }],
    note: [
      { path: "services/a/parts/note.hbs", service: "a", folder: "parts" },
      { path: "services/a/external/note.hbs", service: "a", folder: "external" },
    ],
  });
});
