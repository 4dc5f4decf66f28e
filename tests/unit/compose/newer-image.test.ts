import { describe, expect, it } from "vitest";

import { imageSettler, newerImage } from "../../../src/compose/newer-image.ts";
import { builtIn } from "../../helpers/catalogue.ts";

const OLD = "${QDRANT_IMAGE:-${IMAGE_REGISTRY:-}qdrant/qdrant:v1.19.0-unprivileged}";
const of = (reference: string): string => `\${QDRANT_IMAGE:-${reference}}`;
const q = (tag: string): string => of(`qdrant/qdrant:${tag}`);
const SHA = (digit: string): string => `@sha256:${digit.repeat(64)}`;

describe("an image whose tag both sides changed", () => {
  it.each<[string, string, string, string, string]>([
    ["ours is newer", q("v1.19.2-u"), q("v1.19.0-u"), q("v1.19.1-u"), q("v1.19.2-u")],
    ["theirs is newer", q("v1.19.1-u"), q("v1.19.0-u"), q("v1.20.0-u"), q("v1.20.0-u")],
    ["numbers, not letters", q("v1.9.9"), q("v1.9.0"), q("v1.10.0"), q("v1.10.0")],
    ["theirs is in reach of ours, not of the base", q("v1.20.0"), q("v1.19.0"), q("v1.21.0"), q("v1.21.0")],
    [
      "the former form becomes the new one",
      OLD.replace("19.0", "19.3"),
      OLD,
      q("v1.19.0-unprivileged"),
      q("v1.19.3-unprivileged"),
    ],
    [
      "theirs has a registry now",
      q("v1.19.3"),
      q("v1.19.0"),
      of("mirror.example/qdrant/qdrant:v1.19.1"),
      of("mirror.example/qdrant/qdrant:v1.19.3"),
    ],
    [
      "the newer one brings its digest",
      q(`v1.19.2${SHA("a")}`),
      q("v1.19.0"),
      q(`v1.19.1${SHA("b")}`),
      q(`v1.19.2${SHA("a")}`),
    ],
    [
      "the same version, one with a digest",
      q("v1.19.1"),
      q("v1.19.0"),
      q(`v1.19.1${SHA("b")}`),
      q(`v1.19.1${SHA("b")}`),
    ],
  ])("%s", (_, ours, base, theirs, expected) => {
    expect(newerImage(ours, base, theirs, "one-minor")).toBe(expected);
  });

  it.each<[string, string, string, string]>([
    ["the variable was taken away", "qdrant/qdrant:v1.19.2", q("v1.19.0"), q("v1.19.1")],
    ["another variable", q("v1.19.0").replace("QDRANT", "OTHER"), q("v1.19.0"), q("v1.19.1")],
    ["another variable and a newer tag", q("v1.19.2").replace("QDRANT", "OTHER"), q("v1.19.0"), q("v1.19.1")],
    ["ours went back on purpose", q("v1.18.2"), q("v1.19.0"), q("v1.19.1")],
    ["another repository", of("mine/qdrant:v1.20.0"), q("v1.19.0"), q("v1.19.1")],
    ["another suffix", q("v1.20.0"), q("v1.19.0-unprivileged"), q("v1.19.1-unprivileged")],
    ["a tag that moves", q("latest"), q("v1.19.0"), q("v1.19.1")],
    ["versions of another length", q("v1.20"), q("v1.19.0"), q("v1.19.1")],
    ["two digests of one version", q(`v1.19.1${SHA("a")}`), q("v1.19.0"), q(`v1.19.1${SHA("b")}`)],
    ["ours is more than the limit ahead", q("v1.21.0"), q("v1.19.0"), q("v1.20.0")],
    ["theirs is more than the limit ahead of ours", q("v1.19.5"), q("v1.19.0"), q("v1.21.0")],
    ["a digest alone", of(`qdrant/qdrant${SHA("a")}`), q("v1.19.0"), q("v1.19.1")],
    ["no reference at all", "${A}${B}", q("v1.19.0"), q("v1.19.1")],
  ])("is a conflict: %s", (_, ours, base, theirs) => {
    expect(newerImage(ours, base, theirs, "one-minor")).toBeUndefined();
  });

  it("knows the limit of each service, and is asked about nothing else", async () => {
    const { services } = await builtIn();
    const settle = imageSettler([...services.values()].flatMap(({ containers }) => containers));
    const values = { ours: "postgres:16.1", base: "postgres:15.1", theirs: "postgres:15.2" };
    expect(settle(["services", "postgres", "image"], values)).toBeUndefined();
    expect(settle(["services", "mine", "image"], values)).toBe("postgres:16.1");
    expect(settle(["services", "mine", "image", "x"], values)).toBeUndefined();
    expect(settle(["services", "mine", "command"], values)).toBeUndefined();
    expect(settle(["services", "mine", "image"], { ...values, ours: null })).toBeUndefined();
  });
});
