import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new directory that is gone when the test is over. Call it inside a test. */
export function tempDir(): string {
  const dir = newTempDir();
  onTestFinished(() => {
    removeDir(dir);
  });
  return dir;
}

/** A new directory for a whole file of tests; whoever asks for it removes it (`removeDir`). */
export function newTempDir(): string {
  return mkdtempSync(join(realpathSync(tmpdir()), "framework-infra-test-"));
}

export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}
