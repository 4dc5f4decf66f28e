import { createHash } from "node:crypto";

/** sha256 of a text's UTF-8 bytes, or of bytes, as hex: identifies templates and generated files. */
export function sha256(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}
