import fc from "fast-check";
import fs from "fs-extra";
import { join } from "node:path";
import { expect, it } from "vitest";

import { UserError } from "../../../src/lib/errors.ts";
import { create } from "../../../src/flow/create.ts";
import { isListening } from "../../../src/host/listening.ts";
import { readRoot } from "../../../src/root/root.ts";
import { dotenvValues } from "../../../src/env/dotenv.ts";
import { runs } from "../../helpers/arbitrary.ts";
import { builtIn } from "../../helpers/catalogue.ts";
import { placeAt } from "../../helpers/place.ts";
import { newTempDir, removeDir } from "../../helpers/temp.ts";

const catalogue = await builtIn();
const VARIABLES = { qdrant: "QDRANT_PORT", postgres: "POSTGRES_PORT", langfuse: "LANGFUSE_PORT" } as const;
type Service = keyof typeof VARIABLES;

// Few ports, so that clashes are the rule and not the exception.
const port = fc.oneof(
  fc.integer({ min: 6333, max: 6345 }),
  fc.integer({ min: 5432, max: 5440 }),
  fc.integer({ min: 3000, max: 3010 }),
  fc.integer({ min: 20_800, max: 20_806 }),
);
const protocol = fc.constantFrom<"tcp" | "udp">("tcp", "tcp", "tcp", "udp");

/** A port binding of a foreign file: how it is written, and which ports it means. */
const binding = fc
  .record({ port, protocol, form: fc.integer({ min: 0, max: 7 }), width: fc.integer({ min: 1, max: 3 }) })
  .map(({ port: first, protocol: kind, form, width }) => {
    const p = String(first);
    const suffix = kind === "udp" ? "/udp" : "";
    const only = [first];
    const range = Array.from({ length: width }, (_, index) => first + index);
    const forms: [string, number[]][] = [
      [`"${p}:80${suffix}"`, only],
      [`"127.0.0.1:${p}:80${suffix}"`, only],
      [`"0.0.0.0:${p}:80${suffix}"`, only],
      [`"[::1]:${p}:80${suffix}"`, only],
      [`"${p}-${String(first + width - 1)}:80-${String(80 + width - 1)}${suffix}"`, range],
      [`{ target: 80, published: "${p}", protocol: ${kind} }`, only],
      [`"\${NOT_SET:-${p}}:80${suffix}"`, only],
      [`"80${suffix}"`, []],
    ];
    const [text, ports] = forms[form] ?? ["", []];
    return { text, keys: ports.map((each) => `${kind}/${String(each)}`) };
  });

const framework = fc.record({
  preset: fc.constantFrom("crewai", "dspy", "custom", "custom"),
  services: fc.subarray<Service>(["qdrant", "postgres", "langfuse"], { minLength: 1 }),
  typed: fc.dictionary(fc.constantFrom<Service>("qdrant", "postgres"), port, { maxKeys: 2 }),
  override: fc.option(port, { nil: undefined, freq: 3 }),
});

it("no two published ports collide, and no clash is reported that is none", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(binding, { maxLength: 5 }),
      fc.array(framework, { minLength: 1, maxLength: 4 }),
      async (foreign, frameworks) => {
        const root = newTempDir();
        try {
          const place = placeAt(root, catalogue, "r");
          fs.outputFileSync(
            join(root, "shop/compose.yaml"),
            `services: { web: { image: x, ports: [${foreign.map(({ text }) => text).join(", ")}] } }\n`,
          );
          const held = new Set(foreign.flatMap(({ keys }) => keys));
          for (const [index, { preset, services, typed, override }] of frameworks.entries()) {
            const name = `agents-${String(index)}`;
            const wanted = new Map(Object.entries(typed).filter(([service]) => services.includes(service as Service)));
            const outcome = await create({ draft: { name, preset, services }, ports: wanted, place, dry: false }).then(
              () => undefined,
              (error: unknown) => error,
            );
            const listening = await Promise.all([...wanted.values()].map(async (each) => isListening("tcp", each)));
            const trulyHeld = [...wanted.values()].some(
              (each, at) => held.has(`tcp/${String(each)}`) || listening[at] === true,
            );
            const twice = new Set(wanted.values()).size < wanted.size;
            if (outcome !== undefined) {
              if (!(outcome instanceof UserError)) throw outcome;
              expect([outcome.exit, trulyHeld || twice]).toEqual([outcome.exit === 2 ? 2 : 3, true]);
              expect(fs.existsSync(join(root, name))).toBe(false);
              continue;
            }
            expect([trulyHeld, twice]).toEqual([false, false]);
            const file = join(root, name, ".env");
            const env = dotenvValues(fs.readFileSync(file, "utf8"));
            for (const [service, variable] of Object.entries(VARIABLES)) {
              const value = env.get(variable);
              if (value === undefined) continue;
              if (wanted.has(service)) expect(value).toBe(String(wanted.get(service)));
              expect(held.has(`tcp/${value}`), `${variable}=${value} is held`).toBe(false);
              held.add(`tcp/${value}`);
            }
            // From now on somebody publishes another port than the spec says; both stay held.
            const variable = VARIABLES[services[0] ?? "qdrant"];
            if (override !== undefined && env.has(variable)) {
              fs.appendFileSync(file, `${variable}=${String(override)}\n`);
              held.add(`tcp/${String(override)}`);
            }
          }
          const { all } = await (await readRoot(root, "r", catalogue)).claims();
          const known = new Set(all.map((claim) => `${claim.protocol}/${String(claim.port)}`));
          expect([...held].filter((key) => !known.has(key))).toEqual([]);
          expect([...known].filter((key) => !held.has(key))).toEqual([]);
        } finally {
          removeDir(root);
        }
      },
    ),
    runs(40),
  );
}, 3_600_000);
