import { defineConfig } from "vitest/config";

// npm run test:full: many more cases for every property.
const long = process.env["FRAMEWORK_INFRA_RUNS"] !== undefined;
const shared = { environment: "node", include: ["**/*.test.ts"], testTimeout: long ? 3_600_000 : 20_000 };

// Set by .ci/run, which adds the figures of several runs up.
const report = process.env["FRAMEWORK_INFRA_REPORT"];

export default defineConfig({
  test: {
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
    // One job each: see CONTRIBUTING.md.
    projects: [
      { test: { ...shared, name: "unit", dir: "tests/unit" } },
      { test: { ...shared, name: "golden", dir: "tests/golden" } },
      {
        test: { ...shared, name: "e2e", dir: "tests/e2e", globalSetup: "tests/helpers/build.ts", testTimeout: 60_000 },
      },
      {
        test: {
          ...shared,
          name: "live",
          dir: "tests/live",
          globalSetup: ["tests/helpers/build.ts", "tests/helpers/engine-setup.ts"],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
